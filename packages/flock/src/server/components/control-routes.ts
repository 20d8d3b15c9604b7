import {
  artifactTypesSchema,
  cancelRequestSchema,
  cancelResultSchema,
  graphSnapshotSchema,
  invokeRequestSchema,
  invokeResultSchema,
  pauseRequestSchema,
  pauseResultSchema,
  previewResultSchema,
  publishRequestSchema,
  publishResultSchema,
} from "@flock-ts/protocol";
import { z } from "zod";
import { checkOptions } from "../../core/errors.ts";
import { ERROR_RESPONSES } from "../http/errors.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { questionRoutes } from "../http/question-routes.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link ControlRoutesComponent}. */
export interface ControlRoutesConfig {
  /** The path prefix of its routes. Default `/api/plugin/`. */
  readonly prefix?: string;
  /** Groups its routes in the API documents. Default `["Control"]`. */
  readonly tags?: readonly string[];
  /** Lower registers first. Default 20. */
  readonly priority?: number;
}

const configSchema = z.strictObject({
  prefix: prefixSchema.default("/api/plugin/"),
  tags: z.array(z.string()).default(["Control"]),
  priority: z.number().default(20),
});

/** Serves commands over HTTP: publish, preview, invoke, cancel, pause, resume, answer; and artifact types and the graph. */
export class ControlRoutesComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "control";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: ControlRoutesConfig = {}) {
    super(checkOptions("new ControlRoutesComponent", configSchema, config));
  }

  override registerRoutes(context: ServerContext): void {
    const { app, host, principalOf } = context;
    const { tags } = this.config;
    const at = (path: string) => joinPath(this.config.prefix, path);

    app.get(
      at("artifact_types"),
      {
        schema: {
          tags,
          summary: "List artifact types with the JSON Schema of their payloads",
          response: { 200: artifactTypesSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => ({
        artifact_types: host
          .as(principalOf(request))
          .types()
          .map(({ typeName, jsonSchema }) => ({
            name: typeName,
            schema: jsonSchema,
          })),
      }),
    );

    app.post(
      at("publish"),
      {
        schema: {
          tags,
          summary: "Publish an artifact",
          body: publishRequestSchema,
          response: { 200: publishResultSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => (await host.as(principalOf(request)).commands.publish(request.body)).result,
    );

    app.post(
      at("preview"),
      {
        schema: {
          tags,
          summary: "Preview which agents an artifact would trigger, without publishing it",
          body: publishRequestSchema,
          response: { 200: previewResultSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => host.as(principalOf(request)).commands.preview(request.body),
    );

    app.post(
      at("invoke"),
      {
        schema: {
          tags,
          summary: "Run an agent on given inputs",
          body: invokeRequestSchema,
          response: { 200: invokeResultSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => (await host.as(principalOf(request)).commands.invoke(request.body)).result,
    );

    app.post(
      at("cancel"),
      {
        schema: {
          tags,
          summary: "Cancel a run, or all runs of a workflow",
          body: cancelRequestSchema,
          response: { 200: cancelResultSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => (await host.as(principalOf(request)).commands.cancel(request.body)).result,
    );

    for (const what of ["pause", "resume"] as const) {
      app.post(
        at(what),
        {
          schema: {
            tags,
            summary: what === "pause" ? "Pause an agent, or all agents" : "Resume an agent, or all agents",
            body: pauseRequestSchema,
            response: { 200: pauseResultSchema, ...ERROR_RESPONSES },
          },
        },
        async (request) => (await host.as(principalOf(request)).commands[what](request.body)).result,
      );
    }

    questionRoutes(context, at, tags);

    app.get(
      at("graph"),
      {
        schema: {
          tags,
          summary: "Get the flow graph with the status of agents",
          response: { 200: graphSnapshotSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => host.as(principalOf(request)).graph(),
    );
  }
}
