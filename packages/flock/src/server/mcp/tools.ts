import { EVENT_TYPES, filterSchema, limitedArray, MAX_FILTER_NAMES, publishRequestSchema } from "@flock-ts/protocol";
import type { CallToolResult, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { ScopedHost } from "../host.ts";
import { recordOf } from "../http/artifact-record.ts";
import type { HttpError } from "../http/errors.ts";
import type { McpToolName } from "./tool-names.ts";
import { watch } from "./watch.ts";

/** What the tools of one request receive. */
export interface Caller {
  readonly log: EventLog;
  /** The flock as the client sees it. */
  readonly host: ScopedHost;
  /** Aborts when the client cancels the request or the server shuts down. */
  readonly signal: AbortSignal;
  /** Converts an error to what the client may see. The details of server errors are logged. */
  explain(error: unknown): HttpError["error"];
}

/** The most artifacts in one result: a model has to read them. */
const MAX_ARTIFACTS = 200;
/** The most events in one result. */
const MAX_EVENTS = 500;
/** The longest wait, in seconds. Clients and proxies abandon a request after a minute. */
const MAX_WAIT_S = 50;

const time = z.iso.datetime({ offset: true });
const names = limitedArray(z.string().min(1), 1_000).min(1);

interface Tool<S extends z.ZodObject = z.ZodObject> {
  readonly description: string;
  readonly input: S;
  readonly isReadOnly: boolean;
  run(input: z.output<S>, caller: Caller): object | Promise<object>;
}

const tool = <S extends z.ZodObject>(definition: Tool<S>) => definition as unknown as Tool;

/** Every tool by its name. */
const TOOLS = {
  list_artifact_types: tool({
    description: "Lists the artifact types that can be published, with the JSON Schema of each payload.",
    input: z.strictObject({}),
    isReadOnly: true,
    run: (_, { host }) => ({
      artifact_types: host.types().map(({ typeName, jsonSchema }) => ({ name: typeName, schema: jsonSchema })),
    }),
  }),
  publish_artifact: tool({
    description:
      "Publishes an artifact, which may trigger agents. Pass an idempotency_key to make a repeated call safe. To see the effects, call watch with the correlation_id and seq (as `since`) of the result.",
    input: z.strictObject(publishRequestSchema.shape),
    isReadOnly: false,
    run: async (request, { host }) => {
      const { seq, result } = await host.commands.publish(request);
      return { ...result, seq };
    },
  }),
  query_artifacts: tool({
    description: "Returns artifacts, newest first. All given conditions must hold.",
    input: z.strictObject({
      type_names: names.optional().describe("Artifacts of any of these types."),
      produced_by: names
        .optional()
        .describe("Artifacts of any of these agents; `external` for artifacts published from outside."),
      correlation_id: z.string().min(1).optional().describe("Artifacts of this workflow."),
      tags: names.optional().describe("Artifacts with all of these tags."),
      start: time.optional().describe("Created at this time or later."),
      end: time.optional().describe("Created before this time."),
      limit: z.int().min(1).max(MAX_ARTIFACTS).default(20),
      cursor: z.string().min(1).optional().describe("`next_cursor` of the previous page."),
    }),
    isReadOnly: true,
    run: async ({ type_names, produced_by, correlation_id, start, end, ...rest }, { host }) => {
      const { artifacts, total, nextCursor } = await host.store.query({
        ...rest,
        types: type_names,
        producedBy: produced_by,
        correlationId: correlation_id,
        start: start === undefined ? undefined : new Date(start),
        end: end === undefined ? undefined : new Date(end),
      });
      return { artifacts: artifacts.map((artifact) => recordOf(artifact)), total, next_cursor: nextCursor };
    },
  }),
  get_artifact: tool({
    description: "Returns one artifact by its id.",
    input: z.strictObject({ id: z.string().min(1) }),
    isReadOnly: true,
    run: async ({ id }, { host }) => {
      const artifact = await host.store.get(id);
      if (!artifact) throw new FlockError("not_found", `Unknown artifact: ${JSON.stringify(id)}.`);
      return recordOf(artifact);
    },
  }),
  list_agents: tool({
    description: "Lists the agents with their status, and the artifact types each consumes and publishes.",
    input: z.strictObject({}),
    isReadOnly: true,
    run: (_, { host }) => ({ agents: host.agents() }),
  }),
  get_workflow: tool({
    description: "Returns the status of a workflow: whether work is pending, and whether runs failed.",
    input: z.strictObject({ correlation_id: z.string().min(1) }),
    isReadOnly: true,
    run: async ({ correlation_id: id }, { host }) => {
      const status = await host.correlation(id);
      if (!status)
        throw new FlockError(
          "not_found",
          `Unknown workflow: no artifact has the correlation id ${JSON.stringify(id)}.`,
        );
      return status;
    },
  }),
  watch: tool({
    description:
      "Waits for matching events and returns them, or none when the time is over. To continue without missing events, call it again with `next` of the result as `since`, and its `epoch`. A `gap` names events that are no longer kept.",
    input: z.strictObject({
      ...filterSchema.shape,
      types: limitedArray(z.enum(EVENT_TYPES as [string, ...string[]]), MAX_FILTER_NAMES)
        .min(1)
        .default(["artifact_published"])
        .describe("Event types."),
      since: z
        .int()
        .optional()
        .describe("Events after this seq. 0: all events kept; -N: the newest N; absent: only new events."),
      epoch: z.string().min(1).optional().describe("The log that `since` belongs to."),
      limit: z.int().min(1).max(MAX_EVENTS).default(50),
      wait_seconds: z.number().min(0).max(MAX_WAIT_S).default(20).describe("How long to wait if no event matches yet."),
    }),
    isReadOnly: true,
    run: async ({ since, epoch, limit, wait_seconds, ...filter }, { log, host, signal }) => {
      const wanted = { since, epoch, limit, waitMs: wait_seconds * 1_000, filter: filterSchema.parse(filter) };
      const page = await watch(log, wanted, host.principal, signal);
      return { ...page, events: page.events.map((json): unknown => JSON.parse(json)) };
    },
  }),
} satisfies Record<McpToolName, Tool>;

/** Adds tools to a server, for one caller. */
export function addTools(server: McpServer, wanted: readonly McpToolName[], caller: Caller): void {
  for (const name of wanted) {
    const { description, input, isReadOnly, run }: Tool = TOOLS[name];
    server.registerTool(
      name,
      { description, inputSchema: input, annotations: { readOnlyHint: isReadOnly, openWorldHint: false } },
      async (given, { mcpReq }): Promise<CallToolResult> => {
        try {
          const signal = AbortSignal.any([caller.signal, mcpReq.signal]);
          return resultOf(await run(given, { ...caller, signal }));
        } catch (error) {
          return { ...resultOf({ error: caller.explain(error) }), isError: true };
        }
      },
    );
  }
}

/** Returns a value for programs and as text for models: some clients show a model only the text. */
function resultOf(value: object): CallToolResult {
  const text = JSON.stringify(value);
  return { content: [{ type: "text", text }], structuredContent: JSON.parse(text) };
}
