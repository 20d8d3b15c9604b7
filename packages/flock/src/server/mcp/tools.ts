import { EVENT_TYPES, filterSchema, limitedArray, MAX_FILTER_NAMES, publishRequestSchema } from "@flock-ts/protocol";
import type { CallToolResult, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { ScopedHost } from "../host.ts";
import { recordOf } from "../http/artifact-record.ts";
import type { HttpError } from "../http/errors.ts";
import { watch } from "./watch.ts";

/** What the tools of one request work with. */
export interface Caller {
  readonly log: EventLog;
  /** The flock as the client sees it. */
  readonly host: ScopedHost;
  /** Aborts when the request is given up, or the server goes down. */
  readonly signal: AbortSignal;
  /** An error as the client may see it; what is the server's fault is logged. */
  explain(error: unknown): HttpError["error"];
}

/** Artifacts in one answer, at most: a model has to read them. */
const MAX_ARTIFACTS = 200;
/** Events in one answer, at most. */
const MAX_EVENTS = 500;
/** Clients and proxies give a request up after a minute. In seconds. */
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
    description: "The types of artifacts that can be published, with the JSON Schema of each payload.",
    input: z.strictObject({}),
    isReadOnly: true,
    run: (_, { host }) => ({
      artifact_types: host.types().map(({ typeName, jsonSchema }) => ({ name: typeName, schema: jsonSchema })),
    }),
  }),
  publish_artifact: tool({
    description:
      "Puts an artifact on the blackboard, which may wake agents. Give an idempotency_key, so that a repeated call does no harm. To see what comes of it, watch with the correlation_id of the answer, since its seq.",
    input: z.strictObject(publishRequestSchema.shape),
    isReadOnly: false,
    run: async (request, { host }) => {
      const { seq, result } = await host.commands.publish(request);
      return { ...result, seq };
    },
  }),
  query_artifacts: tool({
    description: "Artifacts on the blackboard, newest first. Every part that is given must hold.",
    input: z.strictObject({
      type_names: names.optional().describe("Any of these types."),
      produced_by: names.optional().describe("Any of these agents, or `external`."),
      correlation_id: z.string().min(1).optional().describe("Of this workflow."),
      tags: names.optional().describe("With all of these tags."),
      start: time.optional().describe("Created at this time or later."),
      end: time.optional().describe("Created before this time."),
      limit: z.int().min(1).max(MAX_ARTIFACTS).default(20),
      cursor: z.string().min(1).optional().describe("`next_cursor` of the page before."),
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
    description: "One artifact by its id.",
    input: z.strictObject({ id: z.string().min(1) }),
    isReadOnly: true,
    run: async ({ id }, { host }) => {
      const artifact = await host.store.get(id);
      if (!artifact) throw new FlockError("not_found", `there is no artifact ${JSON.stringify(id)}`);
      return recordOf(artifact);
    },
  }),
  list_agents: tool({
    description: "The agents, what each consumes and publishes, and how they are doing.",
    input: z.strictObject({}),
    isReadOnly: true,
    run: (_, { host }) => ({ agents: host.agents() }),
  }),
  get_workflow: tool({
    description: "How a workflow stands: whether something is still to be done, and whether something failed.",
    input: z.strictObject({ correlation_id: z.string().min(1) }),
    isReadOnly: true,
    run: async ({ correlation_id: id }, { host }) => {
      const status = await host.correlation(id);
      if (!status) throw new FlockError("not_found", `no artifact has the correlation id ${JSON.stringify(id)}`);
      return status;
    },
  }),
  watch: tool({
    description:
      "Waits for events that match, and answers with them, or with none when the time is over. Call it again with `since` = `next` and the same `epoch` of the answer: nothing is missed between two calls. A `gap` names events that are no longer kept.",
    input: z.strictObject({
      ...filterSchema.shape,
      types: limitedArray(z.enum(EVENT_TYPES as [string, ...string[]]), MAX_FILTER_NAMES)
        .min(1)
        .default(["artifact_published"])
        .describe("Kinds of events."),
      since: z
        .int()
        .optional()
        .describe("Events after this seq; 0: all that are kept; -N: the newest N; absent: what happens from now on."),
      epoch: z.string().min(1).optional().describe("Which log `since` belongs to."),
      limit: z.int().min(1).max(MAX_EVENTS).default(50),
      wait_seconds: z.number().min(0).max(MAX_WAIT_S).default(20).describe("How long to wait while there is nothing."),
    }),
    isReadOnly: true,
    run: async ({ since, epoch, limit, wait_seconds, ...filter }, { log, host, signal }) => {
      const wanted = { since, epoch, limit, waitMs: wait_seconds * 1_000, filter: filterSchema.parse(filter) };
      const page = await watch(log, wanted, host.principal, signal);
      return { ...page, events: page.events.map((json): unknown => JSON.parse(json)) };
    },
  }),
} as const;

/** A tool of a flock that is an MCP server. */
export type McpToolName = keyof typeof TOOLS;

/** Their names. */
export const TOOL_NAMES = Object.keys(TOOLS) as [McpToolName, ...McpToolName[]];

/** Gives a server these tools, for one caller. */
export function addTools(server: McpServer, wanted: readonly McpToolName[], caller: Caller): void {
  for (const name of wanted) {
    const { description, input, isReadOnly, run }: Tool = TOOLS[name];
    server.registerTool(
      name,
      { description, inputSchema: input, annotations: { readOnlyHint: isReadOnly, openWorldHint: false } },
      async (given, { mcpReq }): Promise<CallToolResult> => {
        try {
          const signal = AbortSignal.any([caller.signal, mcpReq.signal]);
          return answer(await run(given, { ...caller, signal }));
        } catch (error) {
          return { ...answer({ error: caller.explain(error) }), isError: true };
        }
      },
    );
  }
}

/** For programs, and as text for models, whose clients may show them nothing else. */
function answer(value: object): CallToolResult {
  const text = JSON.stringify(value);
  return { content: [{ type: "text", text }], structuredContent: JSON.parse(text) };
}
