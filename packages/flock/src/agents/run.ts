import type { RunStatus, WireError } from "@flock/protocol";
import { Draft } from "../blackboard/artifact-type.ts";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import { FlockError } from "../errors.ts";
import type { AgentDefinition } from "./agent.ts";
import type { OutputStream } from "./output-stream.ts";
import type { RunContext } from "./run-context.ts";

/** A run that is queued: which agent, on what. */
export interface Activation {
  /** Stays the same however often it is run; the first run has the same id. */
  readonly id: string;
  readonly runId: string;
  readonly agent: AgentDefinition;
  readonly artifacts: readonly StoredArtifact[];
  readonly correlationId: string;
  readonly attempt: number;
  /** Why it must not run, when it must not. */
  readonly refusal?: Error;
}

/** How a run ended. */
export interface RunEnd {
  readonly runId: string;
  readonly status: RunStatus;
  readonly durationMs: number;
  readonly error?: WireError;
  /** What the run has spent, by name. */
  readonly usage?: Readonly<Record<string, number>>;
  /** Ids of the artifacts that it published. */
  readonly produced: readonly string[];
}

/** Longest error message that travels in events, in characters. */
const MAX_ERROR_MESSAGE = 4_000;

/** Why a run was stopped from outside. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
  readonly status: "cancelled" | "interrupted";

  constructor(status: "cancelled" | "interrupted") {
    super(status === "cancelled" ? "the run was cancelled" : "the flock is shutting down");
    this.status = status;
  }
}

/** A run took longer than its agent allows. */
class RunTimedOut extends Error {
  override readonly name = "RunTimedOut";

  constructor(agent: string, ms: number) {
    super(`${agent} took longer than ${ms} ms and was stopped: .timeout(ms) sets the limit`);
  }
}

/** How a run ended that failed with this. */
export function statusOf(failure: unknown): RunStatus {
  if (failure instanceof RunStopped) return failure.status;
  return failure instanceof RunTimedOut ? "timeout" : "error";
}

/** One run, from its start to its end. */
export class Run {
  readonly activation: Activation;
  readonly #abort = new AbortController();

  constructor(activation: Activation) {
    this.activation = activation;
  }

  /** Aborts when the run is stopped. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the run now, whatever its function still does. */
  stop(status: "cancelled" | "interrupted"): void {
    this.#abort.abort(new RunStopped(status));
  }

  /**
   * Calls the agent's function and gives its drafts.
   * Rejects with what the function throws, with a {@link RunStopped} or {@link RunTimedOut}, or with a FlockError about its output.
   */
  async execute(context: RunContext, stream: OutputStream): Promise<readonly Draft[]> {
    const { agent, artifacts, refusal } = this.activation;
    if (refusal) throw refusal;
    this.signal.throwIfAborted();
    const stopped = new Promise<never>((_, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason), { once: true });
    });
    const { name, timeout } = agent;
    const timer = timeout && setTimeout(() => this.#abort.abort(new RunTimedOut(name, timeout)), timeout);
    try {
      const output = this.#call(agent, inputsOf(artifacts), context, stream);
      return checkOutput(agent, await Promise.race([output, stopped]));
    } finally {
      clearTimeout(timer);
    }
  }

  async #call(
    agent: AgentDefinition,
    inputs: Record<string, unknown>,
    context: RunContext,
    stream: OutputStream,
  ): Promise<unknown> {
    const result = agent.run(inputs, context);
    if (!isGenerator(result)) return result;
    for (;;) {
      const { done, value } = await result.next();
      if (this.signal.aborted) {
        // The generator's `finally` blocks shall run, but nobody waits for them.
        result.return(undefined).catch(() => {});
        throw this.signal.reason;
      }
      if (done) return value;
      if (typeof value !== "string") {
        throw new FlockError(
          "wrong_output",
          `agent ${agent.name} yielded ${describe(value)}; yield strings to stream, return drafts to publish`,
        );
      }
      stream.write(value);
    }
  }
}

/** An error as events tell it. */
export function toWireError(error: unknown): WireError {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return { name: error instanceof FlockError ? error.code : name, message: message.slice(0, MAX_ERROR_MESSAGE) };
}

function inputsOf(artifacts: readonly StoredArtifact[]): Record<string, unknown> {
  const inputs: Record<string, unknown> = {};
  const several = new Set<string>();
  for (const { type, payload } of artifacts) {
    if (!(type in inputs)) inputs[type] = payload;
    else if (several.has(type)) (inputs[type] as unknown[]).push(payload);
    else {
      inputs[type] = [inputs[type], payload];
      several.add(type);
    }
  }
  return inputs;
}

function checkOutput(agent: AgentDefinition, output: unknown): readonly Draft[] {
  if (output === undefined || output === null) {
    if (agent.publishes.size === 0) return [];
    throw new FlockError(
      "wrong_output",
      `agent ${agent.name} returned nothing; return what it publishes, or [] to publish nothing`,
    );
  }
  const drafts = Array.isArray(output) ? output : [output];
  for (const draft of drafts) {
    if (!(draft instanceof Draft)) {
      throw new FlockError(
        "wrong_output",
        `agent ${agent.name} returned ${describe(draft)}; return drafts, such as Pizza({ … })`,
      );
    }
    if (!agent.publishes.has(draft.type)) {
      throw new FlockError(
        "wrong_output",
        `agent ${agent.name} returned a ${draft.type}, but declares only .publishes(${[...agent.publishes.keys()].join(", ")})`,
      );
    }
  }
  return drafts;
}

function describe(value: unknown): string {
  return value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, undefined> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value && "next" in value;
}
