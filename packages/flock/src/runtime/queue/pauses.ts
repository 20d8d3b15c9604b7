import { allOf, type EventDraft } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { visibleWithAgent } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import type { Workload } from "../runs/workload.ts";
import type { Scheduler } from "./scheduler.ts";

/** Minimum interval between reports of the number of waiting activations per paused agent, in ms. */
const MIN_INTERVAL_MS = 250;

/** Collaborators of {@link Pauses}. */
export interface PausesOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly scheduler: Scheduler;
  readonly workload: Pick<Workload, "onHeld">;
  readonly clock: Clock;
  readonly emit: (event: EventDraft) => void;
}

/** Pauses and resumes agents, and reports this and the number of activations that wait for paused agents. */
export class Pauses {
  readonly #options: PausesOptions;
  /** Agents whose queue was reported recently, by name, with whether it has changed since. */
  readonly #reported = new Map<string, boolean>();

  #stopped = false;

  constructor(options: PausesOptions) {
    this.#options = options;
    options.workload.onHeld((agent) => this.queueChanged(agent));
  }

  /**
   * Restores the agents that the previous process had paused. Emits nothing, because the log already has the events.
   */
  restore(agents: Iterable<string>): void {
    for (const agent of agents) this.#options.scheduler.pause(agent);
  }

  /** Stops starting runs of these agents. Returns those that were not already paused. */
  pause(agents: readonly AgentDefinition[]): string[] {
    const { scheduler, emit } = this.#options;
    const paused = agents.filter(({ name }) => scheduler.pause(name));
    for (const agent of paused) {
      emit({ type: "agent_paused", ...visibleWithAgent(agent) });
      if (scheduler.queuedOf(agent.name) > 0) this.#report(agent.name);
    }
    return paused.map(({ name }) => name);
  }

  /** Resumes these agents. Returns those that were paused. */
  resume(agents: readonly AgentDefinition[]): string[] {
    const { scheduler, emit } = this.#options;
    const paused = agents.filter(({ name }) => scheduler.paused.has(name));
    for (const agent of paused) {
      // Emitted before the first run starts, so that no subscriber sees a paused agent start a run.
      emit({ type: "agent_resumed", ...visibleWithAgent(agent) });
      scheduler.resume(agent.name);
    }
    return paused.map(({ name }) => name);
  }

  /** Reverts a pause or resume that could not be written. Subscribers have not received it. */
  undo(what: "pause" | "resume", agents: readonly string[]): void {
    const { scheduler } = this.#options;
    for (const agent of agents) {
      if (what === "pause") scheduler.resume(agent);
      else scheduler.pause(agent);
    }
  }

  /** Reports the queue of a paused agent after a change, throttled. */
  queueChanged(agent: string): void {
    if (!this.#options.scheduler.paused.has(agent)) return;
    if (this.#reported.has(agent)) this.#reported.set(agent, true);
    else this.#report(agent);
  }

  /** Stops all reports. */
  stop(): void {
    this.#stopped = true;
  }

  #report(name: string): void {
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
    this.#reported.set(name, false);
    clock.after(MIN_INTERVAL_MS, () => {
      const hasChanged = this.#reported.get(name);
      this.#reported.delete(name);
      if (hasChanged) this.queueChanged(name);
    });
  }
}
