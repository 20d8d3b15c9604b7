import { allOf } from "@flock-ts/protocol";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import { isoTime, timestamp } from "../../core/time.ts";
import { eventWrite } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { GateContents, WorkStore } from "../../store/store.ts";
import { Gate, type GateOutcome, type GateProgress, type GateState } from "./gate.ts";
import { GateTimers } from "./gate-timers.ts";
import { SubscriptionIndex } from "./subscription-index.ts";

/** What the gates work with. */
export interface GatesOptions {
  readonly journal: Journal;
  /** What gates held when the store was opened. */
  readonly left: GateContents;
  readonly work: Pick<WorkStore, "gates">;
  readonly clock: Clock;
  readonly log: RunLog;
  /** Takes what wakes an agent because time has passed, in the commit of this tick. */
  readonly onDue: (subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined) => void;
}

/** What wakes an agent. */
export interface Filled {
  readonly subscription: Subscription;
  /** In the order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
}

/** What a gate would do with an artifact, or why it would not take it. */
export type DryRun =
  | { readonly subscription: Subscription; readonly excluded: "visibility" | "tags" | "condition" | "error" }
  | { readonly subscription: Subscription; readonly progress: GateProgress; readonly wakes: boolean };

const NOTHING_FILLED: readonly Filled[] = [];

/** A gate that is full drops artifact after artifact; the log tells of the first, and of every so many-th. */
const DROPS_PER_LINE = 1_000;

/** All agents' gates: offers them what is published, and writes what comes of it. */
export class Gates {
  readonly #options: GatesOptions;
  readonly #index = new SubscriptionIndex();
  /** Those that wait for something; a subscription that one artifact fills has nothing to keep. */
  readonly #waiting = new Map<Subscription, Gate>();
  readonly #timers: GateTimers;
  /** Agents by name. */
  readonly #agents = new Set<string>();
  /** Those of them with more than one subscription. */
  readonly #withAlternatives = new Set<string>();

  /** What gates hold according to the store, as far as it was read. */
  #stored: GateContents;

  constructor(options: GatesOptions) {
    this.#options = options;
    this.#stored = options.left;
    this.#timers = new GateTimers(options.clock, (gate) => this.#wake(gate, options.clock.now()));
  }

  add(subscription: Subscription): void {
    const gate = new Gate(subscription);
    this.#index.add(gate);
    const { agentId } = subscription;
    if (this.#agents.has(agentId)) this.#withAlternatives.add(agentId);
    this.#agents.add(agentId);
    if (!subscription.isSingle) this.#waiting.set(subscription, gate);
  }

  /** Puts an artifact into every gate that wants it. Returns what that fills, each agent's once for one artifact. */
  offer(artifact: StoredArtifact): readonly Filled[] {
    const gates = this.#index.candidates(artifact);
    const [first] = gates;
    if (!first) return NOTHING_FILLED;
    if (gates.length === 1) {
      const filled = this.#fill(first, artifact);
      return filled ? [filled] : NOTHING_FILLED;
    }
    const all: Filled[] = [];
    /** Alternatives of one agent that a single artifact fills wake it once. */
    let woken: Set<string> | undefined;
    for (const gate of gates) {
      const { agentId, isSingle } = gate.subscription;
      if (isSingle && woken?.has(agentId)) continue;
      const filled = this.#fill(gate, artifact);
      if (!filled) continue;
      all.push(filled);
      if (this.#withAlternatives.has(agentId)) (woken ??= new Set()).add(agentId);
    }
    return all;
  }

  /** Puts an artifact into one gate, if it wants it. Returns what wakes the agent, if that was enough. */
  #fill(gate: Gate, artifact: StoredArtifact): Filled | undefined {
    const { subscription } = gate;
    try {
      if (!subscription.accepts(artifact)) return undefined;
      const artifacts = subscription.isSingle ? [artifact] : this.#put(gate, artifact);
      return artifacts && { subscription, artifacts };
    } catch (error) {
      const details = { err: error, agent: subscription.agentId, artifact: artifact.id };
      this.#options.log.error(details, "a condition of this agent threw; the artifact does not wake it");
      return undefined;
    }
  }

  /** What every gate whose subscription names the type would do with an artifact. Changes nothing. */
  dryRun(artifact: StoredArtifact): readonly DryRun[] {
    const woken = new Set<string>();
    return this.#index.ofType(artifact.type).flatMap((gate) => {
      const { subscription } = gate;
      if (subscription.isSingle && woken.has(subscription.agentId)) return [];
      const dryRuns = dryRunOf(gate, artifact);
      if ("wakes" in dryRuns && dryRuns.wakes) woken.add(subscription.agentId);
      return [dryRuns];
    });
  }

  /** What waits in a gate; undefined for a subscription that never waits. */
  stateOf(subscription: Subscription): GateState | undefined {
    return this.#waiting.get(subscription)?.state;
  }

  /**
   * Gives the gates of an agent, or of all, what the store says they have gathered. What time has done to them in the
   * meantime is done at once, or after a pause in milliseconds.
   */
  restore(agentId?: string, pause = 0): void {
    if (this.#waiting.size === 0) return;
    const { clock } = this.#options;
    const gathered = Map.groupBy(this.#stored.gathered, keyOf);
    const counts = new Map(this.#stored.taken.map((count) => [keyOf(count), count.taken]));
    for (const [subscription, gate] of this.#waiting) {
      const { gate: name, requires } = subscription;
      if (agentId !== undefined && subscription.agentId !== agentId) continue;
      const waiting = gathered.get(keyOf({ agentId: subscription.agentId, gate: name })) ?? [];
      // An agent may have been declared anew, with other gates or cleared for less: what no longer fits stays where it is.
      const fitting = waiting.filter(({ artifact }) => requires.has(artifact.type) && subscription.sees(artifact));
      gate.restore(fitting, counts.get(keyOf({ agentId: subscription.agentId, gate: name })) ?? 0);
      const now = clock.now();
      if (pause === 0 && gate.deadline <= now) this.#wake(gate, now);
      else this.#timers.watch(gate, pause);
    }
  }

  /**
   * Restores all gates from the store after a failed commit. Undefined when no gate waits for anything. What is due then
   * is done after a pause in milliseconds.
   */
  refresh(pause: number): Promise<void> | undefined {
    if (this.#waiting.size === 0) return undefined;
    return this.#options.work.gates().then((contents) => {
      this.#stored = contents;
      this.restore(undefined, pause);
    });
  }

  /** Nothing ticks any more. */
  stop(): void {
    this.#timers.stop();
  }

  /** Returns what wakes the agent, if the artifact was enough for that. */
  #put(gate: Gate, artifact: StoredArtifact): readonly StoredArtifact[] | undefined {
    const at = gate.timeOf(artifact);
    // The timer may be late: a batch that is due runs without this one.
    if (gate.batchDeadline <= at) this.#wake(gate, at);
    const outcome = gate.offer(artifact);
    this.#write(gate, outcome);
    this.#timers.watch(gate);
    return outcome.artifacts;
  }

  /** Does what a gate has to do because time has passed, in one commit. */
  #wake(gate: Gate, now: number): void {
    const outcome = gate.wake(now);
    this.#write(gate, outcome);
    this.#timers.watch(gate);
    this.#options.onDue(gate.subscription, outcome.artifacts);
  }

  #write(gate: Gate, { progress, waiting, left, error }: GateOutcome): void {
    const { journal, log, clock } = this.#options;
    const { agentId, principal, gate: name, withinArtifacts, maxWaiting } = gate.subscription;
    const own = principal.tenant === undefined ? undefined : ({ kind: "tenant", tenant_id: principal.tenant } as const);
    for (const { correlationId, key, collected, required, expiresAt, dropped, reason, visibility } of progress) {
      const seenBy = own ? allOf([own, visibility]) : visibility;
      const event = {
        type: "gate_progress" as const,
        agent_id: agentId,
        gate: name,
        correlation_id: correlationId,
        ...(key === undefined ? {} : { key }),
        collected,
        required,
        ...(expiresAt === undefined ? {} : { expires_at: isoTime(expiresAt) }),
        ...(dropped === undefined ? {} : { dropped }),
        ...(reason === undefined ? {} : { reason }),
        ...(seenBy === undefined ? {} : { visibility: seenBy }),
      };
      journal.write(eventWrite(event, timestamp(clock.now())));
      if (reason === "full" && gate.overflowed % DROPS_PER_LINE === 1)
        log.warn(
          { agent: agentId, gate: name, maxWaiting, dropped: gate.overflowed },
          "a gate is full: it drops the oldest",
        );
    }
    for (const one of waiting) journal.write({ kind: "gathered", agentId, gate: name, ...one });
    if (left.length > 0) journal.write({ kind: "gathered_used", agentId, gate: name, artifacts: left });
    if (withinArtifacts < Number.POSITIVE_INFINITY)
      journal.write({ kind: "gate_taken", agentId, gate: name, taken: gate.taken });
    if (error !== undefined)
      log.error({ err: error, agent: agentId }, "whereGroup of this agent threw; the group does not wake it");
  }
}

function keyOf({ agentId, gate }: { readonly agentId: string; readonly gate: string }): string {
  return JSON.stringify([agentId, gate]);
}

function dryRunOf(gate: Gate, artifact: StoredArtifact): DryRun {
  const { subscription } = gate;
  if (!subscription.sees(artifact)) return { subscription, excluded: "visibility" };
  if (!subscription.tags.every((tag) => artifact.tags.includes(tag))) return { subscription, excluded: "tags" };
  try {
    if (!subscription.accepts(artifact)) return { subscription, excluded: "condition" };
    if (subscription.isSingle) return { subscription, progress: filledBy(artifact), wakes: true };
    const { progress, artifacts, error } = gate.dryRun(artifact);
    if (error !== undefined) return { subscription, excluded: "error" };
    // A group that is refused is the last thing that the gate tells of the artifact; other drops are of others.
    const told = progress.findLast(({ reason }) => reason === undefined || reason === "refused");
    if (!told || told.reason === "refused") return { subscription, excluded: "condition" };
    return { subscription, progress: told, wakes: artifacts !== undefined };
  } catch {
    return { subscription, excluded: "error" };
  }
}

/** A single artifact is all that is wanted. */
function filledBy({ type, correlationId }: StoredArtifact): GateProgress {
  const all = { [type]: 1 };
  return { correlationId, key: undefined, collected: all, required: all, expiresAt: undefined };
}
