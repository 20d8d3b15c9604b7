import { answerRequestSchema, publishResultSchema, questionsSchema } from "@flock-ts/protocol";
import { z } from "zod";
import type { ServerContext } from "../server-component.ts";
import { ERROR_RESPONSES } from "./errors.ts";

/**
 * Adds the routes that list and answer the questions of agents.
 * @param at returns the URL path of a route.
 */
export function questionRoutes(
  { app, host, principalOf }: ServerContext,
  at: (path: string) => string,
  tags: string[],
): void {
  app.get(
    at("questions"),
    {
      schema: {
        tags,
        summary: "List open questions of agents",
        response: { 200: questionsSchema, ...ERROR_RESPONSES },
      },
    },
    (request) => ({ questions: host.as(principalOf(request)).commands.questions() }),
  );

  app.post(
    at("questions/:id/answer"),
    {
      schema: {
        tags,
        summary: "Answer a question of an agent",
        params: z.object({ id: z.string() }),
        body: answerRequestSchema,
        response: { 200: publishResultSchema, ...ERROR_RESPONSES },
      },
    },
    async (request) => (await host.as(principalOf(request)).commands.answer(request.params.id, request.body)).result,
  );
}
