import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import { type Clock, systemClock } from "../core/clock.ts";

/** A queued run that could start now. */
export interface QueuedRun {
  /** The agent's name. */
  readonly agent: string;
  readonly runId: string;
  readonly correlationId: string;
  readonly activationId: string;
  /** 1 for the first attempt; higher when an earlier one was interrupted. */
  readonly attempt: number;
  /** The artifacts that triggered the agent, in order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
}

/** Origin of a draft that is about to be published. */
export interface DraftOrigin {
  /** The agent's name, or `external`. */
  readonly producedBy: string;
  /** Absent for `external`. */
  readonly runId?: string;
  readonly correlationId: string;
}

/** A replacement for a hook's value, or nothing to keep the value. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only observes needs no return
export type Replacement<T> = T | undefined | void;

/** Lower priorities wrap other components; higher ones are wrapped. */
const DEFAULT_PRIORITY = 50;

/**
 * Wraps the runs of an agent. Add one with `.use(component)` of the agent, or with `new Flock({ components })` for all
 * agents and external publishes. An instance can be shared by several agents and keeps one state for all of them.
 *
 * Components run in order of `priority`; at the same priority, the flock's components run before the agent's, each in
 * order of declaration. `schedule`, `consume` and the code before `next` in `evaluate` run from first to last. The code
 * after `next`, then `publish`, `published` and `error` run from last to first.
 *
 * A hook that throws fails the run or the external publish, and nothing else. The error names the component, unless it
 * is a `FlockError`, which is passed on unchanged.
 *
 * @example
 * class Log extends AgentComponent {
 *   readonly name = "log";
 *   override async evaluate(run: RunContext, next: () => Promise<readonly Draft[]>) {
 *     console.log(`${run.agent} started`);
 *     const drafts = await next();
 *     console.log(`${run.agent} returned ${drafts.length} drafts`);
 *     return drafts;
 *   }
 * }
 */
export abstract class AgentComponent {
  /** Name of the component in error messages. */
  abstract readonly name: string;
  /** Components with lower values wrap those with higher values. Default: 50. */
  readonly priority: number = DEFAULT_PRIORITY;
  /** The flock's clock, once the component is in use. */
  clock: Clock = systemClock;

  /**
   * Returns the time before a run may start, in ms; 0 starts it now. The hook is called again after that time.
   * Until then, the run and those behind it wait in the agent's queue. The hook must have no side effects, because
   * another component may still delay the run.
   */
  schedule?(run: QueuedRun): number;

  /**
   * Runs when a run starts. May replace the agent's inputs with the same number of artifacts, of the same types, in the
   * same order. The consumption of the original artifacts is already recorded.
   */
  consume?(artifacts: readonly StoredArtifact[], run: RunContext): Replacement<readonly StoredArtifact[]>;

  /**
   * Wraps the agent's function or model. `next` computes the output; skip it to return your own. The returned drafts
   * are checked against the agent's declarations.
   */
  evaluate?(run: RunContext, next: () => Promise<readonly Draft[]>): Promise<readonly Draft[]>;

  /** Receives the usage that a run reports. An error stops the run immediately and aborts its current model request. */
  usage?(amounts: Readonly<Record<string, number>>, run: RunContext): void;

  /**
   * Runs before a draft is published. May return a replacement of the same type, such as
   * `draft.artifactType.parse({ …draft.stored })`. Drafts are frozen.
   */
  publish?(draft: Draft, origin: DraftOrigin): Replacement<Draft>;

  /** Runs after an artifact is committed. Errors are logged. */
  published?(artifact: StoredArtifact): void;

  /** Runs after a run failed. May return another error to report. The status `timeout` cannot be changed. */
  error?(error: unknown, run: RunContext): unknown;
}
