import type { AgentDefinition } from "../../agents/definition.ts";
import { undeclaredAgent } from "../../agents/undeclared-agent.ts";
import { type ErrorDetail, wireErrorOf } from "../../core/wire-error.ts";
import type { Journal } from "../../store/journal.ts";
import type { LeftWork, UnfinishedActivation } from "../../store/store.ts";
import type { RootLog } from "../../telemetry/run-log.ts";
import { type Activation, depthOf } from "./activation.ts";
import type { Activations } from "./activations.ts";
import type { Begun } from "./begun.ts";
import type { Endings } from "./endings.ts";
import { CrashLimitError } from "./refusals.ts";
import type { RunEnd } from "./run-end.ts";
import type { RunLogs } from "./run-logs.ts";
import type { Workload } from "./workload.ts";

/** Collaborators and settings of {@link EarlierWork}. */
export interface EarlierWorkOptions {
  readonly left: Pick<LeftWork, "unfinished" | "hasCrashed">;
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly activations: Pick<Activations, "pending" | "takeUp">;
  readonly workload: Workload;
  readonly endings: Endings;
  readonly journal: Pick<Journal, "settled">;
  readonly log: RootLog;
  readonly runLogs: RunLogs;
  /** How much events contain of errors. */
  readonly errorDetail: ErrorDetail;
}

/** Unfinished work of an earlier process and the agent that takes it up. `crashes` includes the last crash. */
type TakenUp = UnfinishedActivation & { readonly agent: AgentDefinition; readonly crashes: number };

/** A run that began in an earlier process. */
const BEGUN_BEFORE: Pick<Begun, "ensure"> = { ensure: () => {} };

/**
 * Resumes activations that earlier processes have not finished. Those whose agent is not declared are orphans until
 * their agent is declared, another agent adopts them or they are cancelled.
 */
export class EarlierWork {
  readonly #options: EarlierWorkOptions;
  /** Activations that no agent has taken up, by the name of their agent; undefined until work begins. */
  #orphans: Map<string, UnfinishedActivation[]> | undefined;

  constructor(options: EarlierWorkOptions) {
    this.#options = options;
  }

  /** Activations whose agents are not declared, oldest first. Empty until work begins. */
  get orphans(): readonly UnfinishedActivation[] {
    return [...(this.#orphans?.values() ?? [])].flat();
  }

  /** Resumes the work of all declared agents. Does nothing when called again. */
  resume(): void {
    const { left, agents, log, workload } = this.#options;
    if (this.#orphans || workload.isStopped) return;
    this.#orphans = Map.groupBy(left.unfinished, ({ agentId }) => agentId);
    const known = [...agents.values()];
    this.#start(known.flatMap((agent) => this.#takeOf(agent)));
    for (const [agent, { length }] of this.#orphans) {
      log.warn({ agent, runs: length }, "runs wait for an undeclared agent: see `flock.orphans()`");
    }
  }

  /** Resumes the work of an agent that was declared after {@link resume}. */
  resumeAgent(agent: AgentDefinition): void {
    this.#start(this.#takeOf(agent));
  }

  /** Lets an agent run matching orphans. Returns their number. */
  adopt(agent: AgentDefinition, matches: (orphan: UnfinishedActivation) => boolean): number {
    const adopted = this.#take(matches);
    this.#start(adopted.map(this.#takenUpBy(agent)));
    return adopted.length;
  }

  /** Ends matching orphans as `cancelled`. Returns their number. */
  cancel(matches: (orphan: UnfinishedActivation) => boolean): number {
    const { activations, endings } = this.#options;
    const cancelled = this.#take(matches);
    for (const orphan of cancelled) {
      const { agentId, gate: _, started: __, retryAt: ___, visibility, ...about } = orphan;
      const agent = undeclaredAgent(agentId);
      const activation = { ...about, visibility, agent, subscription: undefined, depth: depthOf(orphan.artifacts) };
      activations.pending(activation);
      endings.cancelUnstarted(activation);
    }
    return cancelled.length;
  }

  /** Removes and returns an agent's work. */
  #takeOf(agent: AgentDefinition): TakenUp[] {
    const names = [agent.name, ...agent.formerNames];
    return names.flatMap((name) => this.#take(({ agentId }) => agentId === name)).map(this.#takenUpBy(agent));
  }

  #takenUpBy(agent: AgentDefinition): (one: UnfinishedActivation) => TakenUp {
    const { hasCrashed } = this.#options.left;
    return (one) => ({ ...one, agent, crashes: (one.crashes ?? 0) + (one.started && hasCrashed ? 1 : 0) });
  }

  /** Removes and returns matching orphans. */
  #take(matches: (orphan: UnfinishedActivation) => boolean): readonly UnfinishedActivation[] {
    const taken: UnfinishedActivation[] = [];
    for (const [name, orphans] of this.#orphans ?? []) {
      const others = orphans.filter((orphan) => !matches(orphan));
      if (others.length === orphans.length) continue;
      taken.push(...orphans.filter(matches));
      if (others.length > 0) this.#orphans?.set(name, others);
      else this.#orphans?.delete(name);
    }
    return taken;
  }

  /** Starts work. What a crash has interrupted starts last: it may have caused the crash, and may cause another. */
  #start(work: readonly TakenUp[]): void {
    // Waits for the pending commit. Work that has not begun is in the store already, so it starts even if that commit fails.
    const ready = this.#options.journal.settled();
    const inOrder = work.toSorted((a, b) => Math.sign(a.crashes) - Math.sign(b.crashes));
    for (const one of inOrder) this.#startOne(one, ready);
  }

  #startOne(taken: TakenUp, ready: Promise<void>): void {
    const { left, activations, workload, endings } = this.#options;
    const { id, runId, attempt, agent, crashes, correlationId, started, failures, visibility, retryAt } = taken;
    const about = { id, runId, attempt, agent, correlationId, failures, crashes, visibility };
    const activation = { ...about, isGuarded: left.hasCrashed, ...activations.takeUp(agent, taken) };
    const enqueue = (next: Activation) => void ready.then(() => workload.enqueue(next));
    if (crashes >= workload.queue.maxCrashesOf(agent)) this.#setAside(activation, started);
    else if (started) endings.interrupted(activation, enqueue);
    else if (retryAt !== undefined) workload.enqueueAt(activation, retryAt);
    else enqueue(activation);
  }

  /** Turns work into a dead letter, because the process has crashed during it too often. */
  #setAside(activation: Activation, hasBegun: boolean): void {
    const { errorDetail, runLogs, endings } = this.#options;
    const { agent, runId, crashes = 0 } = activation;
    const failure = new CrashLimitError(agent.name, crashes);
    const error = wireErrorOf(failure, { detail: errorDetail, redaction: agent.redaction });
    const end: RunEnd = { runId, status: "error", durationMs: 0, produced: [], error };
    const refused = { ...activation, refusal: failure };
    const begun = hasBegun ? BEGUN_BEFORE : undefined;
    runLogs.failed(refused, failure, end);
    void endings.write({ activation: refused, end, visibleError: error, publications: [], failure, begun });
  }
}
