import type { Activation } from "./activation.ts";

/** One agent's runs: those that go on, and those that wait their turn. */
interface Lane {
  running: number;
  readonly waiting: Set<Activation>;
  /** Those that were away and go on as soon as there is a place, before any that has not begun. */
  readonly returning: Map<Activation, () => void>;
}

/** Starts activations, first come first served, never more of one agent at a time than it allows. */
export class Scheduler {
  readonly #start: (activation: Activation) => Promise<void>;
  readonly #lanes = new Map<string, Lane>();
  /** Those that have begun and do not need their place for now. */
  readonly #away = new Set<Activation>();
  #running = 0;
  #queued = 0;

  /** `start` runs an activation; its promise resolves when the run has ended, and never rejects. */
  constructor(start: (activation: Activation) => Promise<void>) {
    this.#start = start;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  /** How many of the running have left their place to others. */
  get away(): number {
    return this.#away.size;
  }

  /** A run gives its place to others, until it comes back or ends. */
  leave(activation: Activation): void {
    const lane = this.#lanes.get(activation.agent.name);
    if (!lane || this.#away.has(activation)) return;
    this.#away.add(activation);
    lane.running -= 1;
    this.#fill(lane);
  }

  /** A run that has left wants to go on. Resolves when it may. */
  comeBack(activation: Activation): Promise<void> {
    const lane = this.#lanes.get(activation.agent.name);
    if (!lane || !this.#away.delete(activation)) return Promise.resolve();
    return new Promise((resolve) => {
      lane.returning.set(activation, resolve);
      this.#fill(lane);
    });
  }

  /** Runs an activation as soon as its agent has room. */
  enqueue(activation: Activation): void {
    let lane = this.#lanes.get(activation.agent.name);
    if (!lane)
      this.#lanes.set(activation.agent.name, (lane = { running: 0, waiting: new Set(), returning: new Map() }));
    if (lane.waiting.size === 0 && lane.running < activation.agent.concurrency) {
      this.#begin(lane, activation);
      return;
    }
    lane.waiting.add(activation);
    this.#queued += 1;
  }

  /** Takes activations that have not started out of the queue and gives them back. */
  withdraw(wanted: (activation: Activation) => boolean): Activation[] {
    const withdrawn: Activation[] = [];
    for (const lane of this.#lanes.values()) {
      for (const activation of lane.waiting) {
        if (!wanted(activation)) continue;
        lane.waiting.delete(activation);
        withdrawn.push(activation);
      }
    }
    this.#queued -= withdrawn.length;
    return withdrawn;
  }

  #fill(lane: Lane): void {
    for (const [activation, goOn] of lane.returning) {
      if (lane.running >= activation.agent.concurrency) return;
      lane.returning.delete(activation);
      lane.running += 1;
      goOn();
    }
    for (const activation of lane.waiting) {
      if (lane.running >= activation.agent.concurrency) return;
      lane.waiting.delete(activation);
      this.#queued -= 1;
      this.#begin(lane, activation);
    }
  }

  #begin(lane: Lane, activation: Activation): void {
    lane.running += 1;
    this.#running += 1;
    this.#start(activation).then(() => {
      // Whoever is away has no place to give back.
      if (!this.#away.delete(activation) && !lane.returning.delete(activation)) lane.running -= 1;
      this.#running -= 1;
      this.#fill(lane);
    });
  }
}
