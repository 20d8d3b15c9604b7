import {
  type DeadLetterRecord,
  deadLetterDiscardedSchema,
  deadLetterRetriedSchema,
  deadLettersSchema,
  dropOrphansSchema,
  moveOrphansSchema,
  orphansHandledSchema,
  orphansSchema,
  queryInteger,
} from "@flock-ts/protocol";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { StrandedArtifact } from "../../runtime/gates/restoration.ts";
import type { OrphanedRun } from "../../runtime/orphans.ts";
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

/** Serves dead letters (list, retry, discard) and orphaned work (list, drop, move) over HTTP. */
export class DeadLettersComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "dead-letters";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: DeadLettersConfig = {}) {
    super(checkOptions("new DeadLettersComponent", configSchema, config));
  }

  override registerRoutes(context: ServerContext): void {
    const { app, host, principalOf } = context;
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

    this.#registerOrphans(context);
  }

  #registerOrphans({ app, host, principalOf }: ServerContext): void {
    const { tags } = this.config;
    const path = joinPath(this.config.prefix, "orphans");
    const assertOwner = (request: FastifyRequest) => {
      if (principalOf(request).kind === "owner") return;
      throw new FlockError("not_allowed", "Not allowed: only the owner can list and handle orphaned work.");
    };

    app.get(
      path,
      {
        schema: {
          tags,
          summary: "List work of earlier processes that no agent takes up, oldest first",
          querystring: z.object({ limit: queryInteger({ min: 1, max: 500 }).default(50) }),
          response: { 200: orphansSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        assertOwner(request);
        const { runs, artifacts } = await host.orphans();
        const { limit } = request.query;
        return {
          runs: runs.slice(0, limit).map(runRecordOf),
          artifacts: artifacts.slice(0, limit).map(strandedRecordOf),
          total: { runs: runs.length, artifacts: artifacts.length },
        };
      },
    );

    app.post(
      `${path}/drop`,
      {
        schema: {
          tags,
          summary: "Cancel orphaned runs and take orphaned artifacts out of their gates",
          body: dropOrphansSchema,
          response: { 200: orphansHandledSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => {
        assertOwner(request);
        return host.dropOrphans(selectorOf(request.body));
      },
    );

    app.post(
      `${path}/move`,
      {
        schema: {
          tags,
          summary: "Give orphaned work to an agent",
          body: moveOrphansSchema,
          response: { 200: orphansHandledSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => {
        assertOwner(request);
        return host.moveOrphans(selectorOf(request.body), request.body.to);
      },
    );
  }
}

function selectorOf({ agent_id, correlation_id, run_id, artifact_id }: z.output<typeof dropOrphansSchema>) {
  return { agentId: agent_id, correlationId: correlation_id, runId: run_id, artifactId: artifact_id };
}

function runRecordOf({ runId, agentId, correlationId, attempt, artifacts }: OrphanedRun) {
  return {
    run_id: runId,
    agent_id: agentId,
    correlation_id: correlationId,
    attempt,
    artifacts: artifacts.map(({ id }) => id),
  };
}

function strandedRecordOf({ agentId, gate, artifact, reason, error }: StrandedArtifact) {
  return {
    artifact_id: artifact.id,
    artifact_type: artifact.type,
    agent_id: agentId,
    correlation_id: artifact.correlationId,
    gate,
    reason,
    ...(error ? { message: error.message } : {}),
  };
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
