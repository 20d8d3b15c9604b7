import { z } from "zod";
import { eventVisibilitySchema, visibilityRequestSchema, visibilitySchema } from "../access/visibility.ts";
import { commandSchemas } from "./commands.ts";
import { controlSchemas, PROTOCOL_VERSION } from "./control.ts";
import { errorBodySchema, issueSchema } from "./errors.ts";
import { eventSchemas, wireErrorSchema } from "./events.ts";
import { filterSchema } from "./filter.ts";
import { graphEdgeSchema, graphNodeSchema } from "./graph.ts";

/** Schemas that several messages share. */
const SHARED = [
  errorBodySchema,
  filterSchema,
  graphEdgeSchema,
  graphNodeSchema,
  issueSchema,
  eventVisibilitySchema,
  visibilityRequestSchema,
  visibilitySchema,
  wireErrorSchema,
];

/** Where the described WebSocket endpoint is. */
export interface AsyncApiOptions {
  /** The path of the endpoint, for example `/plugin/ws`. */
  readonly path: string;
  /** The server's version. */
  readonly version: string;
  /** `host:port` of the server. Default: the document names no server. */
  readonly host?: string;
  /** Groups the channel, as OpenAPI tags group routes. Default: none. */
  readonly tags?: readonly string[];
}

/**
 * Returns the AsyncAPI 3 document of the WebSocket endpoint, generated from the schemas that validate at run time.
 * @see https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function asyncApiDocument({ path, version, host, tags = [] }: AsyncApiOptions): Record<string, unknown> {
  const registry = z.registry<{ id: string }>();
  const received = { ...eventSchemas, ...controlSchemas };
  const messages: Record<string, unknown> = {};
  const declare = (name: string, schema: z.ZodType, summary: string): string => {
    const id = schema.meta()?.id ?? name;
    registry.add(schema, { id });
    messages[id] = { name, summary, contentType: "application/json", payload: { $ref: `#/components/schemas/${id}` } };
    return id;
  };
  const fromServer = Object.entries(received).map(([type, schema]) =>
    declare(type, schema, type in eventSchemas ? "An event of the log." : "A control message, not in the log."),
  );
  const fromClient = Object.entries(commandSchemas).map(([type, schema]) =>
    declare(type, schema, "A command, answered by exactly one reply."),
  );
  for (const schema of SHARED) registry.add(schema, { id: schema.meta()?.id as string });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: "input" });
  // With a `$id`, references such as `#/components/…` would resolve against it instead of the document.
  for (const schema of Object.values(schemas)) {
    delete schema.$id;
    delete schema.$schema;
  }
  const reference = (id: string) => ({ $ref: `#/channels/events/messages/${id}` });
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Flock live events",
      version,
      description: `All events of the blackboard, in real time. Wire contract version ${PROTOCOL_VERSION}.`,
      license: { name: "Apache-2.0" },
    },
    defaultContentType: "application/json",
    ...(host ? { servers: { this: { host, protocol: "ws" } } } : {}),
    channels: {
      events: {
        address: path,
        tags: tags.map((name) => ({ name })),
        messages: Object.fromEntries(
          [...fromServer, ...fromClient].map((id) => [id, { $ref: `#/components/messages/${id}` }]),
        ),
        bindings: {
          ws: {
            method: "GET",
            query: {
              type: "object",
              properties: {
                since: {
                  type: "integer",
                  description: "Deliver events after this seq. 0: all retained events. -N: the newest N.",
                },
                epoch: { type: "string", description: "Id of the log that `since` refers to." },
                ...Object.fromEntries(
                  ["types", "agents", "artifact_types"].map((name) => [
                    name,
                    { type: "string", description: "A comma-separated list." },
                  ]),
                ),
                correlation_id: { type: "string" },
                run_id: { type: "string" },
              },
            },
          },
        },
      },
    },
    operations: {
      receive: { action: "send", channel: { $ref: "#/channels/events" }, messages: fromServer.map(reference) },
      command: {
        action: "receive",
        channel: { $ref: "#/channels/events" },
        messages: fromClient.map(reference),
        reply: { channel: { $ref: "#/channels/events" }, messages: [reference("Reply")] },
      },
    },
    components: { messages, schemas },
  };
}
