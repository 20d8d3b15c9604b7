import {
  type DeadLetterRecord,
  deadLetterDiscardedSchema,
  deadLetterRetriedSchema,
  deadLettersSchema,
  queryInteger,
} from "@flock-ts/protocol";
import { z } from "zod";
import { checkOptions } from "../../core/errors.ts";
import type { DeadLetter } from "../../store/store.ts";
import { ERROR_RESPONSES } from "../http/errors.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link DeadLettersComponent}. */
export interface DeadLettersConfig {
  /** The path prefix of its routes. Default `/api/plugin/`. */
  readonly prefix?: string;
  /** Groups its routes in the API documents. Default `["Dead letters"]`. */
  readonly tags?: readonly string[];
  /** Lower registers first. Default 20. */
  readonly priority?: number;
}

const configSchema = z.strictObject({
  prefix: prefixSchema.default("/api/plugin/"),
  tags: z.array(z.string()).default(["Dead letters"]),
  priority: z.number().default(20),
});

const querySchema = z.object({
  agent_id: z.string().optional(),
  correlation_id: z.string().optional(),
  limit: queryInteger({ min: 1, max: 500 }).default(50),
  cursor: z.string().optional().describe("`next_cursor` of the previous page."),
});

const paramsSchema = z.object({ id: z.string() });

/** Serves dead letters over HTTP: list, retry, discard. */
export class DeadLettersComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "dead-letters";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: DeadLettersConfig = {}) {
    super(checkOptions("new DeadLettersComponent", configSchema, config));
  }

  override registerRoutes({ app, host, principalOf }: ServerContext): void {
    const { tags } = this.config;
    const path = joinPath(this.config.prefix, "dead_letters");

    app.get(
      path,
      {
        schema: {
          tags,
          summary: "List dead letters, newest first",
          querystring: querySchema,
          response: { 200: deadLettersSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { agent_id, correlation_id, limit, cursor } = request.query;
        const query = { agentId: agent_id, correlationId: correlation_id, limit: limit + 1, after: cursor };
        const found = await host.as(principalOf(request)).deadLetters(query);
        const page = found.slice(0, limit);
        return {
          dead_letters: page.map(recordOf),
          next_cursor: found.length > limit ? (page.at(-1)?.id ?? null) : null,
        };
      },
    );

    app.post(
      `${path}/:id/retry`,
      {
        schema: {
          tags,
          summary: "Retry a dead letter",
          params: paramsSchema,
          response: { 200: deadLetterRetriedSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { runId, correlationId, attempt, seq } = await host
          .as(principalOf(request))
          .retryDeadLetter(request.params.id);
        return { run_id: runId, correlation_id: correlationId, attempt, seq };
      },
    );

    app.delete(
      `${path}/:id`,
      {
        schema: {
          tags,
          summary: "Discard a dead letter",
          params: paramsSchema,
          response: { 200: deadLetterDiscardedSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => host.as(principalOf(request)).discardDeadLetter(request.params.id),
    );
  }
}

function recordOf(letter: DeadLetter): DeadLetterRecord {
  const { id, runId, agentId, correlationId, attempts, status, error, artifacts, missing, failedAt } = letter;
  return {
    id,
    run_id: runId,
    agent_id: agentId,
    correlation_id: correlationId,
    attempts,
    status,
    error,
    artifacts: artifacts.map((one) => one.id),
    missing,
    failed_at: failedAt,
  };
}
