import {
  allOf,
  type EventVisibility,
  isAtLeastAsVisible,
  type RunStatus,
  type Visibility,
  type WireError,
} from "@flock-ts/protocol";
import { isGenerator, runWithContext } from "../../agents/context-provider.ts";
import type { AgentDefinition } from "../../agents/definition.ts";
import { inputsOf } from "../../agents/inputs.ts";
import type { RunContext } from "../../agents/run-context.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { type Clock, elapsed } from "../../core/clock.ts";
import { type ErrorDetail, wireErrorOf } from "../../core/wire-error.ts";
import type { Activation } from "./activation.ts";
import type { Begun } from "./begun.ts";
import { readableAgain } from "./best-of.ts";
import { asCurrent } from "./current-run.ts";
import { drain } from "./drain.ts";
import { EarlyOutput, type EarlyOutputDeps } from "./early-output.ts";
import { Occupancy, type RunSlot } from "./occupancy.ts";
import { checkOutput, draftsOf } from "./output-check.ts";
import { OutputStream, type StreamingOutput } from "./output-stream.ts";
import type { RunEnd } from "./run-end.ts";
import { type StepEvent, Steps } from "./steps.ts";
import { TimeLimit } from "./time-limit.ts";

const NO_PRICES = Object.freeze({});

/** Replaces an error that some principals that see the run must not read. */
export const HIDDEN: WireError = {
  name: "hidden",
  message: "Error details are hidden from some viewers of this run. See the server log.",
};

/** Why a run was stopped from outside. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
  readonly status: "cancelled" | "interrupted";

  constructor(status: "cancelled" | "interrupted") {
    super(status === "cancelled" ? "The run was cancelled." : "The flock is shutting down.");
    this.status = status;
  }
}

/** A run took longer than its agent allows. */
class RunTimedOut extends Error {
  override readonly name = "RunTimedOut";

  constructor(agent: string, ms: number) {
    super(
      `Agent \`${agent}\` was stopped: it took longer than ${ms} ms. Pass \`ctx.signal\` to what it calls, or raise \`.timeout(ms)\`.`,
    );
  }
}

/** One run, from its start to its end. */
export class Run {
  readonly activation: Activation;
  /** Why it was ended early, if it was. */
  #stopped: Error | undefined;
  /** What the agent and its components see of it, once it has begun. */
  #context: RunContext | undefined;
  /** Ends the wait for the agent's function, while there is one. */
  #abandon: ((reason: Error) => void) | undefined;
  #abort: AbortController | undefined;
  #stream: OutputStream | undefined;
  #steps: Steps | undefined;
  #ended = false;
  #usage: Record<string, number> | undefined;
  /** Who may see what the run says: principals that may see all that it consumes, reads and may publish. Undefined: every principal. */
  #said: EventVisibility | undefined;
  /** How long the function may take; undefined: without limit. Paused while a person is asked. */
  readonly limit: TimeLimit | undefined;
  /** The writes of its start. */
  begun: Pick<Begun, "ensure"> | undefined;
  /** What it publishes before its end, if it does. Set through {@link Run.openEarly}. */
  early: EarlyOutput | undefined;
  #isEarlyClosed = false;
  /** Whether the run occupies its place among the concurrent runs. */
  readonly occupancy: Occupancy;
  readonly #emit: (event: StreamingOutput | StepEvent) => void;
  readonly #errorDetail: ErrorDetail;
  readonly #clock: Clock;
  readonly #begun: number;

  /** @param emit receives the run's stream and the events of its steps. */
  constructor(
    activation: Activation,
    clock: Clock,
    errorDetail: ErrorDetail,
    slot: RunSlot,
    emit: (event: StreamingOutput | StepEvent) => void,
  ) {
    this.activation = activation;
    const { visibility, agent } = activation;
    this.#said = agent.outputs?.visibility ? allOf([visibility, agent.outputs.visibility]) : visibility;
    this.#clock = clock;
    this.#begun = elapsed(clock);
    const { timeout } = agent;
    if (timeout !== undefined) this.limit = new TimeLimit(clock, timeout, () => this.#stop(this.#timedOut()));
    this.occupancy = new Occupancy(slot, this.limit);
    this.#errorDetail = errorDetail;
    this.#emit = emit;
  }

  /** What the run shows of its output. Made when it is first wanted: not every run streams. */
  get stream(): OutputStream {
    if (!this.#stream) {
      this.#stream = new OutputStream(this.#ids, (event) => this.#say(event));
      if (this.#ended) this.#stream.end();
    }
    return this.#stream;
  }

  /** What the run calls, models and tools. Made when it calls the first: not every run does. */
  get steps(): Steps {
    if (!this.#steps) {
      this.#steps = new Steps({
        ids: this.#ids,
        clock: this.#clock,
        prices: this.activation.agent.prices ?? NO_PRICES,
        stopped: () => this.#stopped,
        emit: (event) => this.#say(event),
        wireErrorOf: (error) => this.#wireErrorOf(error),
        addUsage: (amounts) => this.addUsage(amounts),
        occupancy: this.occupancy,
        within: (activity, work) => asCurrent(this, work, activity),
      });
      if (this.#ended) this.#steps.end("success");
    }
    return this.#steps;
  }

  get #ids() {
    const { agent, runId, correlationId } = this.activation;
    return { agent_id: agent.name, run_id: runId, correlation_id: correlationId };
  }

  /** Emits what the run says to the principals that may see it. */
  #say(event: StreamingOutput | StepEvent): void {
    this.#emit(this.#said === undefined ? event : { ...event, visibility: this.#said });
  }

  /** The principals that may see the output so far; undefined: all. */
  get saidTo(): EventVisibility | undefined {
    return this.#said;
  }

  /** Returns what the run publishes before its end. Closed once the function has ended, even if it is first wanted then. */
  openEarly(deps: EarlyOutputDeps): EarlyOutput {
    this.early ??= new EarlyOutput(this, deps);
    if (this.#isEarlyClosed) this.early.close();
    return this.early;
  }

  /** Lets the run publish nothing more before its end. */
  closeEarly(): void {
    this.#isEarlyClosed = true;
    this.early?.close();
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Why it was ended early, if it was. */
  get stopped(): Error | undefined {
    return this.#stopped;
  }

  /** Throws the reason why the run was ended early, if it was. */
  throwIfStopped(): void {
    if (this.#stopped) throw this.#stopped;
  }

  /** Aborts when the run is stopped. Made when it is first read: most runs never look at it. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#stopped) this.#abort.abort(this.#stopped);
    }
    return this.#abort.signal;
  }

  /** The run has read something: from now on, only principals that may also see that receive what the run says. */
  noteRead(visibility: Visibility | EventVisibility | undefined): void {
    if (!isAtLeastAsVisible(visibility, this.#said)) this.#said = allOf([this.#said, visibility]);
  }

  /** Ends the run now, even if its function still works. */
  stop(status: "cancelled" | "interrupted"): void {
    this.#stop(new RunStopped(status));
  }

  /** Adds to what the run has spent, by name, until it has ended. */
  addUsage(amounts: Readonly<Record<string, number>>): void {
    if (this.#ended) return;
    const sums = (this.#usage ??= {});
    for (const [name, amount] of Object.entries(amounts)) {
      // What is no number is no JSON number either.
      if (Number.isFinite(amount)) sums[name] = (sums[name] ?? 0) + amount;
    }
    const { hooks } = this.activation.agent;
    if (!hooks || !this.#context) return;
    try {
      hooks.usage(amounts, this.#context);
    } catch (error) {
      this.#stop(error as Error);
    }
  }

  /** What the agent's components make of a failure. What was stopped from outside has not failed; a timeout stays one. */
  explained(failure: unknown): unknown {
    const { hooks } = this.activation.agent;
    if (!hooks || !this.#context || failure instanceof RunStopped) return failure;
    const explained = hooks.error(failure, this.#context);
    return failure instanceof RunTimedOut ? failure : explained;
  }

  #timedOut(): RunTimedOut {
    const { name, timeout = 0 } = this.activation.agent;
    return new RunTimedOut(name, timeout);
  }

  #stop(reason: Error): void {
    this.#stopped ??= reason;
    this.occupancy.end(this.#stopped);
    this.#abort?.abort(this.#stopped);
    this.#abandon?.(this.#stopped);
  }

  /**
   * Calls the agent's function and gives its drafts, at once when the function does not wait for anything.
   * Throws or rejects with what the function throws, with a {@link RunStopped} or {@link RunTimedOut}, or with a FlockError about its output.
   */
  execute(context: RunContext): readonly Draft[] | Promise<readonly Draft[]> {
    const { agent, artifacts, refusal } = this.activation;
    this.#context = context;
    if (refusal) throw refusal;
    if (this.#stopped) throw this.#stopped;
    const { hooks } = agent;
    const output = hooks
      ? hooks.evaluate(
          context,
          (taken) => this.#compute(context, taken),
          (made) => this.#withHeld(draftsOf(agent, made)),
        )
      : this.#compute(context, artifacts);
    if (isThenable(output)) return this.#wait(agent, output);
    if (this.#stopped) throw this.#stopped;
    return this.#check(agent, output);
  }

  /** Returns what the run publishes at its end. */
  #check(agent: AgentDefinition, output: unknown): readonly Draft[] {
    return checkOutput(agent, this.#withHeld(draftsOf(agent, output)), this.early);
  }

  #withHeld(drafts: readonly Draft[]): readonly Draft[] {
    const held = this.early?.takeHeld() ?? [];
    return held.length > 0 ? [...held, ...drafts] : drafts;
  }

  #compute(context: RunContext, taken: readonly StoredArtifact[]): unknown {
    const { agent, subscription } = this.activation;
    // A component may compute the output again after a failure.
    this.early?.takeHeld();
    const read = () => (subscription ? subscription.inputsOf(taken) : inputsOf(taken));
    const inputs = agent.bestOf ? readableAgain(read) : read();
    const result = agent.context
      ? runWithContext(agent.context, context, agent.run.bind(agent, inputs, context))
      : agent.run(inputs, context);
    if (!isGenerator(result)) return result;
    return drain(result, {
      agent: agent.name,
      stopped: () => this.#stopped,
      write: (text) => this.stream.write(text),
    });
  }

  /** Ends the stream, also for callers that still hold it, and reports how the run has ended: with a failure unless that is undefined. */
  end(failure: unknown, produced: readonly string[]): RunEnd {
    this.#ended = true;
    this.#stream?.end();
    const status = failure === undefined ? "success" : statusOf(failure);
    this.#steps?.end(status);
    this.occupancy.end();
    const { runId } = this.activation;
    const durationMs = Math.round((elapsed(this.#clock) - this.#begun) * 1000) / 1000;
    const usage = this.#usage;
    // Nearly all runs end here.
    if (failure === undefined && !usage) return { runId, status: "success", durationMs, produced };
    return {
      runId,
      status,
      durationMs,
      produced,
      ...(failure === undefined || failure instanceof RunStopped ? {} : { error: this.#wireErrorOf(failure) }),
      ...(usage ? { usage } : {}),
    };
  }

  /** Returns an error as viewers of the run receive it. Its text may quote anything that the run has read. */
  visibleError(error: WireError | undefined): WireError | undefined {
    const isForAll = isAtLeastAsVisible(this.#said, this.activation.visibility);
    return error === undefined || isForAll ? error : HIDDEN;
  }

  #wireErrorOf(thrown: unknown): WireError {
    return wireErrorOf(thrown, { detail: this.#errorDetail, redaction: this.activation.agent.redaction });
  }

  async #wait(agent: AgentDefinition, output: PromiseLike<unknown>): Promise<readonly Draft[]> {
    this.limit?.start();
    try {
      const result = await new Promise<unknown>((resolve, reject) => {
        this.#abandon = reject;
        output.then(resolve, reject);
        if (this.#stopped) reject(this.#stopped);
      });
      // Code that never gave way kept the timer from firing.
      if (this.limit?.isOver) throw this.#timedOut();
      return this.#check(agent, result);
    } finally {
      this.limit?.stop();
    }
  }
}

function statusOf(failure: unknown): RunStatus {
  if (failure instanceof RunStopped) return failure.status;
  return failure instanceof RunTimedOut ? "timeout" : "error";
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
