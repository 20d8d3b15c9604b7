import { allOf, type EventDraft } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { visibleWithAgent } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import type { Scheduler } from "./scheduler.ts";

/** How often it is told at most how many wait for a paused agent, in ms. */
const MIN_INTERVAL_MS = 250;

/** What a {@link Pauses} works with. */
export interface PausesOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly emit: (event: EventDraft) => void;
}

/** Pauses agents and lets them go on, and tells so, and how many activations wait for those that are paused. */
export class Pauses {
  readonly #options: PausesOptions;
  /** Agents whose queue has been told lately, by name: whether it has changed since. */
  readonly #told = new Map<string, boolean>();

  #stopped = false;

  constructor(options: PausesOptions) {
    this.#options = options;
  }

  /** Agents that were paused when the last process ended stay so. Nothing is told: the log has it. */
  restore(agents: Iterable<string>): void {
    for (const agent of agents) this.#options.scheduler.pause(agent);
  }

  /** Nothing of these agents begins from now on. Gives those that were not paused already. */
  pause(agents: readonly AgentDefinition[]): string[] {
    const { scheduler, emit } = this.#options;
    const paused = agents.filter(({ name }) => scheduler.pause(name));
    for (const agent of paused) {
      emit({ type: "agent_paused", ...visibleWithAgent(agent) });
      if (scheduler.queuedOf(agent.name) > 0) this.#tell(agent.name);
    }
    return paused.map(({ name }) => name);
  }

  /** These agents go on. Gives those that were paused. */
  resume(agents: readonly AgentDefinition[]): string[] {
    const { scheduler, emit } = this.#options;
    const paused = agents.filter(({ name }) => scheduler.paused.has(name));
    for (const agent of paused) {
      // Before its first run begins, so that no viewer sees a paused agent begin one.
      emit({ type: "agent_resumed", ...visibleWithAgent(agent) });
      scheduler.resume(agent.name);
    }
    return paused.map(({ name }) => name);
  }

  /** Takes back a pause, or its end, that could not be written. Viewers have not received it. */
  undo(what: "pause" | "resume", agents: readonly string[]): void {
    const { scheduler } = this.#options;
    for (const agent of agents) {
      if (what === "pause") scheduler.resume(agent);
      else scheduler.pause(agent);
    }
  }

  /** The queue of an agent has changed. */
  queueChanged(agent: string): void {
    if (!this.#options.scheduler.paused.has(agent)) return;
    if (this.#told.has(agent)) this.#told.set(agent, true);
    else this.#tell(agent);
  }

  /** Tells nothing more. */
  stop(): void {
    this.#stopped = true;
  }

  #tell(name: string): void {
    const { agents, scheduler, clock, emit } = this.#options;
    const agent = agents.get(name);
    if (!agent || this.#stopped) return;
    const waiting = scheduler.waitingOf(name);
    const visibility = allOf([agent.visibility, ...new Set(waiting.map((activation) => activation.visibility))]);
    emit({
      type: "agent_queue_changed",
      agent_id: name,
      queued: waiting.length,
      ...(visibility ? { visibility } : {}),
    });
    this.#told.set(name, false);
    clock.after(MIN_INTERVAL_MS, () => {
      const hasChanged = this.#told.get(name);
      this.#told.delete(name);
      if (hasChanged) this.queueChanged(name);
    });
  }
}
