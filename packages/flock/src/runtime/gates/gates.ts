import { allOf } from "@flock-ts/protocol";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { tenantOf } from "../../blackboard/visibility.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import { isoTime, timestamp } from "../../core/time.ts";
import { eventWrite } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { GateContents, GatheredArtifact, WorkStore } from "../../store/store.ts";
import { includesAlert } from "../alerts/alert.ts";
import { alertTypeOf, type GateAlert, gateAlertOf } from "../alerts/gate-drops.ts";
import { Gate, type GateOutcome, type GateProgress, type GateState } from "./gate.ts";
import { GateTimers } from "./gate-timers.ts";
import { type Restoration, restorationOf, type StrandedArtifact } from "./restoration.ts";
import { SubscriptionIndex } from "./subscription-index.ts";

/** Collaborators and settings of {@link Gates}. */
export interface GatesOptions {
  readonly journal: Journal;
  /** State of earlier processes, if the store is persistent. */
  readonly left: GateContents;
  readonly work: Pick<WorkStore, "gates">;
  readonly clock: Clock;
  readonly log: RunLog;
  /** Receives what a gate releases because of a deadline, in the commit of this tick. */
  readonly onDue: (subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined) => void;
  /** Receives a report of dropped artifacts that an agent consumes, in the commit of this tick. */
  readonly onDropped: (alert: GateAlert) => void;
}

/** A complete set of artifacts that triggers an agent. */
export interface Filled {
  readonly subscription: Subscription;
  /** In order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
}

/** What a gate would do with an artifact, or why it would reject it. */
export type DryRun =
  | { readonly subscription: Subscription; readonly excluded: "visibility" | "tags" | "condition" | "error" }
  | { readonly subscription: Subscription; readonly progress: GateProgress; readonly wakes: boolean };

const NOTHING_FILLED: readonly Filled[] = [];

/** A full gate drops an artifact with each arrival; the log reports the first and then each DROPS_PER_LINE-th drop. */
const DROPS_PER_LINE = 1_000;

/** Offers published artifacts to the gates of all agents and writes the outcomes. */
export class Gates {
  readonly #options: GatesOptions;
  readonly #index = new SubscriptionIndex();
  /** Gates that can wait. Subscriptions that one artifact completes have no state. */
  readonly #waiting = new Map<Subscription, Gate>();
  readonly #timers: GateTimers;
  /** Names of agents. */
  readonly #agents = new Set<string>();
  /** Agents with more than one subscription. */
  readonly #withAlternatives = new Set<string>();
  /** All gates of each agent, in the order of declaration, and its earlier names. */
  readonly #byAgent = new Map<string, { readonly gates: Gate[]; readonly formerNames: readonly string[] }>();
  /** What waited in gates of declared agents and fits none of today, by agent. */
  readonly #stranded = new Map<string, readonly StrandedArtifact[]>();
  /** Cancels the pending moves of artifacts to other gates, by agent. */
  readonly #pendingMoves = new Map<string, () => void>();

  /** What the store has of the gates of agents that are not declared yet. */
  #stored: GateContents;
  /** Whether gates held something according to the store, when it was last read. */
  #hasStored: boolean;

  constructor(options: GatesOptions) {
    this.#options = options;
    this.#stored = options.left;
    this.#hasStored = options.left.gathered.length > 0;
    this.#timers = new GateTimers(options.clock, (gate) => this.#wake(gate, options.clock.now()));
  }

  /** @param formerNames earlier names of the agent. */
  add(subscription: Subscription, formerNames: readonly string[] = []): void {
    const gate = new Gate(subscription);
    this.#index.add(gate);
    const { agentId } = subscription;
    const ofAgent = this.#byAgent.get(agentId);
    if (ofAgent) ofAgent.gates.push(gate);
    else this.#byAgent.set(agentId, { gates: [gate], formerNames });
    if (this.#agents.has(agentId)) this.#withAlternatives.add(agentId);
    this.#agents.add(agentId);
    if (!subscription.isSingle) this.#waiting.set(subscription, gate);
  }

  /**
   * Offers an artifact to every matching gate. Returns the completed subscriptions; one artifact triggers an agent's
   * single-artifact alternatives once.
   */
  offer(artifact: StoredArtifact): readonly Filled[] {
    const gates = this.#index.candidates(artifact);
    const [first] = gates;
    if (!first) return NOTHING_FILLED;
    if (gates.length === 1) {
      const filled = this.#fill(first, artifact);
      return filled ? [filled] : NOTHING_FILLED;
    }
    const all: Filled[] = [];
    /** Agents already triggered by this artifact. */
    let triggered: Set<string> | undefined;
    for (const gate of gates) {
      const { agentId, isSingle } = gate.subscription;
      if (isSingle && triggered?.has(agentId)) continue;
      const filled = this.#fill(gate, artifact);
      if (!filled) continue;
      all.push(filled);
      if (this.#withAlternatives.has(agentId)) (triggered ??= new Set()).add(agentId);
    }
    return all;
  }

  /** Offers an artifact to one gate. Returns the artifacts that trigger the agent, if it is complete. */
  #fill(gate: Gate, artifact: StoredArtifact): Filled | undefined {
    const { subscription } = gate;
    try {
      if (!subscription.accepts(artifact)) return undefined;
      const artifacts = subscription.isSingle ? [artifact] : this.#put(gate, artifact);
      return artifacts && { subscription, artifacts };
    } catch (error) {
      const details = { err: error, agent: subscription.agentId, artifact: artifact.id };
      this.#options.log.error(details, "failed to evaluate subscription condition; artifact ignored");
      return undefined;
    }
  }

  /** Returns what each gate whose subscription names the type would do with an artifact. Has no side effects. */
  dryRun(artifact: StoredArtifact): readonly DryRun[] {
    const triggered = new Set<string>();
    return this.#index.ofType(artifact.type).flatMap((gate) => {
      const { subscription } = gate;
      if (subscription.isSingle && triggered.has(subscription.agentId)) return [];
      const dryRuns = dryRunOf(gate, artifact);
      if ("wakes" in dryRuns && dryRuns.wakes) triggered.add(subscription.agentId);
      return [dryRuns];
    });
  }

  /** Returns the content of a gate; undefined for a subscription that never waits. */
  stateOf(subscription: Subscription): GateState | undefined {
    return this.#waiting.get(subscription)?.state;
  }

  /**
   * Restores the gates of one agent or of all agents from the store. What waited in a gate that has changed is offered to
   * the agent's gates of today. Overdue work is processed immediately, or after `pause` milliseconds.
   */
  restore(agentId?: string, pause = 0): void {
    const agents = [...this.#byAgent].filter(([name]) => agentId === undefined || agentId === name);
    const { gathered, taken } = this.#stored;
    const byName = Map.groupBy(gathered, (one) => one.agentId);
    const restored = agents.map(([name, { gates, formerNames }]) => {
      const own = [name, ...formerNames].flatMap((one) => byName.get(one) ?? []);
      return [name, this.#restoreAgent(name, gates, formerNames, { gathered: own, taken })] as const;
    });
    for (const [name, { formerNames }] of agents) for (const one of [name, ...formerNames]) byName.delete(one);
    this.#stored = { gathered: [...byName.values()].flat(), taken };
    // Afterwards, because a gate may report what it drops to another one.
    for (const [name, restoration] of restored) this.#resume(name, restoration, pause);
    if (agentId !== undefined || pause > 0) return;
    const ofUnknown = this.stranded.filter(({ reason }) => reason === "unknown_agent");
    for (const [agent, { length: artifacts }] of Map.groupBy(ofUnknown, (one) => one.agentId))
      this.#options.log.warn({ agent, artifacts }, "artifacts wait for an undeclared agent: see `flock.orphans()`");
  }

  #restoreAgent(
    agentId: string,
    gates: readonly Gate[],
    formerNames: readonly string[],
    stored: GateContents,
  ): Restoration {
    const restoration = restorationOf(agentId, gates, formerNames, stored);
    const { kept, stranded } = restoration;
    for (const [gate, { waiting, taken }] of kept) if (!gate.subscription.isSingle) gate.restore(waiting, taken);
    const before = this.#stranded.get(agentId)?.length;
    this.#stranded.set(agentId, stranded);
    if (stranded.length > 0 && before === undefined) {
      const reasons = [...new Set(stranded.map(({ reason }) => reason))];
      this.#options.log.warn(
        { agent: agentId, artifacts: stranded.length, reasons },
        "artifacts waited in gates that no longer accept them: see `flock.orphans()`",
      );
    }
    return restoration;
  }

  #resume(agentId: string, { kept, moved }: Restoration, pause: number): void {
    const { clock } = this.#options;
    for (const gate of kept.keys()) {
      if (gate.subscription.isSingle) continue;
      const now = clock.now();
      if (pause === 0 && gate.deadline <= now) this.#wake(gate, now);
      else this.#timers.watch(gate, pause);
    }
    // Moves that are pending belong to an earlier restoration. The store still has the artifacts in their former gates.
    this.#pendingMoves.get(agentId)?.();
    this.#pendingMoves.delete(agentId);
    const offer = () => {
      for (const one of moved) this.#move(one.from, one.artifact, one.to);
    };
    if (pause === 0) offer();
    // Nothing can be written while the state is restored after a failed commit.
    else if (moved.length > 0) this.#pendingMoves.set(agentId, clock.after(pause, offer));
  }

  /** Takes an artifact out of a former gate and offers it to one of today. */
  #move({ agentId, gate }: Pick<GatheredArtifact, "agentId" | "gate">, artifact: StoredArtifact, to: Gate): void {
    this.#options.journal.write({ kind: "gathered_used", agentId, gate, artifacts: [artifact] });
    const filled = this.#fill(to, artifact);
    if (filled) this.#options.onDue(filled.subscription, filled.artifacts);
  }

  /** Artifacts that waited in gates which are no longer there, in order of arrival. */
  get stranded(): readonly StrandedArtifact[] {
    const ofUnknown = this.#ofUnknownAgents().map(
      ({ agentId, gate, artifact }): StrandedArtifact => ({ agentId, gate, artifact, reason: "unknown_agent" }),
    );
    const all = [...ofUnknown, ...[...this.#stranded.values()].flat()];
    return all.sort((a, b) => a.artifact.seq - b.artifact.seq);
  }

  /** How many artifacts are stranded. */
  get strandedCount(): number {
    return [...this.#stranded.values()].reduce((sum, { length }) => sum + length, this.#ofUnknownAgents().length);
  }

  #ofUnknownAgents(): readonly GatheredArtifact[] {
    if (this.#stored.gathered.length === 0) return [];
    const known = new Set([...this.#byAgent].flatMap(([name, { formerNames }]) => [name, ...formerNames]));
    return this.#stored.gathered.filter(({ agentId }) => !known.has(agentId));
  }

  /** Forgets stranded artifacts, in the commit of this tick. They stay on the blackboard. */
  drop(stranded: readonly StrandedArtifact[]): void {
    for (const { agentId, gate, artifact } of stranded)
      this.#options.journal.write({ kind: "gathered_used", agentId, gate, artifacts: [artifact] });
  }

  /** Stops listing artifacts that have been dropped or moved, once that is committed. */
  forget(stranded: readonly StrandedArtifact[]): void {
    const gone = new Set(stranded.map(entryOf));
    const isLeft = (one: Pick<StrandedArtifact, "agentId" | "gate" | "artifact">) => !gone.has(entryOf(one));
    for (const [agent, list] of this.#stranded) this.#stranded.set(agent, list.filter(isLeft));
    this.#stored = { ...this.#stored, gathered: this.#stored.gathered.filter(isLeft) };
  }

  /**
   * Moves stranded artifacts to the gates of an agent, in the commit of this tick. Returns those that one of its gates
   * accepts.
   */
  moveTo(agentId: string, stranded: readonly StrandedArtifact[]): readonly StrandedArtifact[] {
    const gates = this.#byAgent.get(agentId)?.gates ?? [];
    return stranded.filter((one) => {
      // Under no agent's name, so that no gate of the agent counts as the one it waited in.
      const gathered = [{ ...one, agentId: "", key: undefined, position: 0, group: undefined }];
      const [moved] = restorationOf(agentId, gates, [""], { gathered, taken: [] }).moved;
      if (moved) this.#move(one, moved.artifact, moved.to);
      return moved !== undefined;
    });
  }

  /**
   * Restores all gates from the store after a failed commit. Overdue work is processed after `pause` milliseconds.
   * Returns undefined when no gate can wait.
   */
  refresh(pause: number): Promise<void> | undefined {
    if (this.#waiting.size === 0 && !this.#hasStored) return undefined;
    return this.#options.work.gates().then((contents) => {
      this.#stored = contents;
      this.#hasStored = contents.gathered.length > 0;
      this.restore(undefined, pause);
    });
  }

  /** Cancels all timers. */
  stop(): void {
    this.#timers.stop();
    for (const cancel of this.#pendingMoves.values()) cancel();
  }

  /** Offers an artifact. Returns the artifacts that trigger the agent, if it is complete. */
  #put(gate: Gate, artifact: StoredArtifact): readonly StoredArtifact[] | undefined {
    const at = gate.timeOf(artifact);
    // The timer may be late: a batch that is due runs without this artifact.
    if (gate.batchDeadline <= at) this.#wake(gate, at);
    const outcome = gate.offer(artifact);
    this.#write(gate, outcome);
    this.#timers.watch(gate);
    return outcome.artifacts;
  }

  /** Processes what is due in a gate, in one commit. */
  #wake(gate: Gate, now: number): void {
    const outcome = gate.wake(now);
    this.#write(gate, outcome);
    this.#timers.watch(gate);
    this.#options.onDue(gate.subscription, outcome.artifacts);
  }

  #write(gate: Gate, { progress, waiting, left, dropped: drops, error }: GateOutcome): void {
    const { journal, log, clock, onDropped } = this.#options;
    const { agentId, principal, gate: name, identity, withinArtifacts, maxWaiting } = gate.subscription;
    const own = tenantOf(principal);
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
          "gate was full; oldest artifact dropped",
        );
    }
    for (const one of waiting) journal.write({ kind: "gathered", agentId, gate: identity, ...one });
    if (left.length > 0) journal.write({ kind: "gathered_used", agentId, gate: identity, artifacts: left });
    if (withinArtifacts < Number.POSITIVE_INFINITY)
      journal.write({ kind: "gate_taken", agentId, gate: identity, taken: gate.taken });
    if (error !== undefined)
      log.error({ err: error, agent: agentId }, "failed to evaluate `whereGroup`; group rejected");
    for (const drop of drops) {
      const type = alertTypeOf(drop.reason);
      if (!type || this.#index.ofType(type.typeName).length === 0 || includesAlert(drop.artifacts)) continue;
      onDropped(gateAlertOf(gate.subscription, drop, gate.waitingFor(drop.key)));
    }
  }
}

function entryOf({ agentId, gate, artifact }: Pick<StrandedArtifact, "agentId" | "gate" | "artifact">): string {
  return JSON.stringify([agentId, gate, artifact.id]);
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
    // A rejected group is always the last report about the artifact; other drops concern other artifacts.
    const own = progress.findLast(({ reason }) => reason === undefined || reason === "refused");
    if (!own || own.reason === "refused") return { subscription, excluded: "condition" };
    return { subscription, progress: own, wakes: artifacts !== undefined };
  } catch {
    return { subscription, excluded: "error" };
  }
}

/** Returns the progress of a subscription that one artifact completes. */
function filledBy({ type, correlationId }: StoredArtifact): GateProgress {
  const all = { [type]: 1 };
  return { correlationId, key: undefined, collected: all, required: all, expiresAt: undefined };
}
