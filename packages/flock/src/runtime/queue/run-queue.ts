import type { AgentDefinition } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import type { Activation } from "../runs/activation.ts";
import { Circuits, type CircuitsOptions } from "./circuits.ts";
import { DelayQueue } from "./delay-queue.ts";
import { Scheduler } from "./scheduler.ts";
import { SingleFile } from "./single-file.ts";

/** Collaborators of {@link RunQueue}. */
export interface RunQueueDeps {
  readonly clock: Clock;
  /** How many runs may go on at the same time, of all agents; undefined: as many as the agents allow. */
  readonly concurrency?: number | undefined;
  /** How many attempts at the same work may end with a crash of the process, unless an agent has its own limit. */
  readonly maxCrashes: number;
  /** Runs an activation; its promise resolves when the run has ended and never rejects. */
  readonly start: (activation: Activation) => Promise<void>;
  /** Receives each activation that waits for a paused agent. */
  readonly onHeld: (activation: Activation) => void;
  /** Receives the events of circuits. */
  readonly emit: CircuitsOptions["emit"];
}

/** Everything that holds activations before their run: delays of retries, circuits, and the limits of agents and flock. */
export class RunQueue {
  readonly scheduler: Scheduler;
  readonly circuits: Circuits;
  readonly #deps: RunQueueDeps;
  readonly #retries: DelayQueue;
  /**
   * Work whose next crash is its last one. If other such work ran at the same time, a crash would set all of it aside, and
   * only one of it is to blame.
   */
  readonly #lastChances: SingleFile;

  constructor(deps: RunQueueDeps) {
    this.#deps = deps;
    this.scheduler = new Scheduler(deps.clock, deps.start, deps.concurrency);
    this.#retries = new DelayQueue(deps.clock, (activation) => this.enqueue(activation));
    this.#lastChances = new SingleFile((activation) => this.#schedule(activation));
    this.circuits = new Circuits({
      clock: deps.clock,
      emit: deps.emit,
      queueOf: (name) => ({
        withdraw: () => this.scheduler.withdraw(({ agent }) => agent.name === name),
        enqueue: (activation) => this.#schedule(activation),
      }),
    });
  }

  /** Number of activations that wait. */
  get size(): number {
    return this.scheduler.queued + this.#retries.size + this.circuits.held + this.#lastChances.size;
  }

  /** Starts an activation as soon as its agent's circuit and all limits allow it. */
  enqueue(activation: Activation): void {
    if (this.circuits.of(activation.agent)?.admits(activation) === false) return;
    if (this.#hasLastChance(activation) && !this.#lastChances.admits(activation)) return;
    this.#schedule(activation);
  }

  /** Enqueues an activation at a time, in milliseconds. It can be withdrawn until then. */
  enqueueAt(activation: Activation, at: number): void {
    this.#retries.enter(activation);
    this.#retries.until(activation, at);
  }

  /** Frees the slot of a run until {@link Scheduler.reacquireSlot} or its end. Others may start meanwhile. */
  release(activation: Activation): void {
    this.scheduler.leave(activation);
    this.#lastChances.left(activation.id);
    this.circuits.of(activation.agent)?.released(activation);
  }

  /** A run has ended, or an activation ends without one. */
  ended({ id }: Activation): void {
    this.#lastChances.left(id);
  }

  /** Returns whether a matching activation waits, except in circuits. */
  has(matches: (activation: Activation) => boolean): boolean {
    return this.scheduler.isWaiting(matches) || this.#retries.has(matches) || this.#lastChances.has(matches);
  }

  /** Removes and returns matching activations. */
  withdraw(matches: (activation: Activation) => boolean): Activation[] {
    const places = [this.scheduler, this.#retries, this.circuits, this.#lastChances];
    return places.flatMap((place) => place.withdraw(matches));
  }

  /** Returns how many attempts at the same work of an agent may end with a crash of the process. */
  maxCrashesOf({ maxCrashes = this.#deps.maxCrashes }: AgentDefinition): number {
    return maxCrashes;
  }

  /** While its agent is paused, it must not keep others from starting. */
  #hasLastChance({ agent, crashes = 0 }: Activation): boolean {
    return crashes > 0 && crashes >= this.maxCrashesOf(agent) - 1 && !this.scheduler.paused.has(agent.name);
  }

  #schedule(activation: Activation): void {
    this.scheduler.enqueue(activation);
    if (this.scheduler.held > 0 && this.scheduler.paused.has(activation.agent.name)) this.#deps.onHeld(activation);
  }
}
