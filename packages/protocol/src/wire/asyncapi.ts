import { z } from "zod";
import { eventVisibilitySchema, visibilityRequestSchema, visibilitySchema } from "../access/visibility.ts";
import { commandSchemas } from "./commands.ts";
import { controlSchemas, PROTOCOL_VERSION } from "./control.ts";
import { errorBodySchema, issueSchema } from "./errors.ts";
import { eventSchemas, wireErrorSchema } from "./events.ts";
import { filterSchema } from "./filter.ts";
import { graphEdgeSchema, graphNodeSchema } from "./graph.ts";

/** The parts that several messages share. */
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

/** Where the described WebSocket is. */
export interface AsyncApiOptions {
  /** The path of the endpoint, such as `/plugin/ws`. */
  readonly path: string;
  /** The server's version. */
  readonly version: string;
  /** `host:port` of the server; left out when it is not known. */
  readonly host?: string;
  /** Groups the channel, as OpenAPI tags group routes. */
  readonly tags?: readonly string[];
}

/**
 * The AsyncAPI 3 document of the WebSocket, generated from the schemas that validate at run time.
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
  // A `$id` would move the base that `#/components/…` is resolved against.
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
      description: `Everything that happens on the blackboard, as it happens. Wire contract version ${PROTOCOL_VERSION}.`,
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
                  description: "Deliver what comes after this seq; 0: all that is kept; -N: the newest N.",
                },
                epoch: { type: "string", description: "Which log `since` belongs to." },
                ...Object.fromEntries(
                  ["types", "agents", "artifact_types"].map((name) => [
                    name,
                    { type: "string", description: "A list, separated by commas." },
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
