import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import { type Clock, systemClock } from "../core/clock.ts";

/** A run that could begin now. */
export interface QueuedRun {
  /** The agent's name. */
  readonly agent: string;
  readonly runId: string;
  readonly correlationId: string;
  readonly activationId: string;
  /** 1 for the first try; more when an earlier one was interrupted. */
  readonly attempt: number;
  /** What has woken the agent, in the order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
}

/** Where a draft comes from that is to be published. */
export interface DraftOrigin {
  /** The agent's name, or `external`. */
  readonly producedBy: string;
  /** Absent for `external`. */
  readonly runId?: string;
  readonly correlationId: string;
}

/** Something else in the place of what a component was told of; nothing, to leave that as it is. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks may end without a return
export type Replacement<T> = T | undefined | void;

/** Below are components that others stand around, above those that stand around others. */
const DEFAULT_PRIORITY = 50;

/**
 * Something that stands around the runs of an agent: `.use(component)` of the agent, or `new Flock({ components })` for all
 * agents and for what is published from outside. One component may be given to several agents, and counts for all of them.
 *
 * A run goes through its components in order of `priority` and, where that is equal, those of the flock before those of the
 * agent, each in the order in which they were given: `schedule`, `consume` and the way in of `evaluate` from the first to the
 * last; the way out of `evaluate`, then `publish`, `published` and `error` from the last to the first.
 *
 * A hook that throws fails the run, or the publish from outside, and nothing else. What it throws says which component it
 * was, unless it is a `FlockError`, which is taken to say all there is to say.
 *
 * @example
 * class Log extends AgentComponent {
 *   readonly name = "log";
 *   override async evaluate(run: RunContext, next: () => Promise<readonly Draft[]>) {
 *     console.log(`${run.agent} begins`);
 *     const drafts = await next();
 *     console.log(`${run.agent} has made ${drafts.length}`);
 *     return drafts;
 *   }
 * }
 */
export abstract class AgentComponent {
  /** What errors call it. */
  abstract readonly name: string;
  /** Lower stands further out; default 50. */
  readonly priority: number = DEFAULT_PRIORITY;
  /** Tells the time: the flock's clock, once the component is used. */
  clock: Clock = systemClock;

  /**
   * Says when a run may begin that otherwise would begin now: in so many milliseconds, when it is asked again; 0 for now.
   * Until then the run waits in its agent's queue, and those behind it wait as well. Asking changes nothing: another
   * component may still say no.
   */
  schedule?(run: QueuedRun): number;

  /**
   * A run begins. Gives what the agent is to read instead of what it consumes: as many artifacts, of the same types, in the
   * same order; or nothing, to leave that as it is. Which artifacts the run has consumed is written already.
   */
  consume?(artifacts: readonly StoredArtifact[], run: RunContext): Replacement<readonly StoredArtifact[]>;

  /**
   * Stands around the agent's function, or its model. `next` computes what the agent has to say; who does not call it does
   * without. What is returned is held to what the agent has declared.
   */
  evaluate?(run: RunContext, next: () => Promise<readonly Draft[]>): Promise<readonly Draft[]>;

  /** Is told what a run spends, when it says so: an error stops the run at once, with the request that its model answers. */
  usage?(amounts: Readonly<Record<string, number>>, run: RunContext): void;

  /** A draft is about to be published: gives another of its type, or nothing, to leave it as it is. Drafts are not changed. */
  publish?(draft: Draft, origin: DraftOrigin): Replacement<Draft>;

  /** An artifact has been committed. What this throws is logged. */
  published?(artifact: StoredArtifact): void;

  /** A run has failed: gives what is to be told instead, or nothing, to leave that as it is. That a run took too long stays. */
  error?(error: unknown, run: RunContext): unknown;
}
