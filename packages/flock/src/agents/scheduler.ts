import type { Activation } from "./activation.ts";

/** One agent's runs: those that go on, and those that wait their turn. */
interface Lane {
  running: number;
  readonly waiting: Set<Activation>;
}

/** Starts activations, first come first served, never more of one agent at a time than it allows. */
export class Scheduler {
  readonly #start: (activation: Activation) => Promise<void>;
  readonly #lanes = new Map<string, Lane>();
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

  /** Runs an activation as soon as its agent has room. */
  enqueue(activation: Activation): void {
    let lane = this.#lanes.get(activation.agent.name);
    if (!lane) this.#lanes.set(activation.agent.name, (lane = { running: 0, waiting: new Set() }));
    if (lane.waiting.size === 0 && lane.running < activation.agent.concurrency) {
      this.#begin(lane, activation);
      return;
    }
    lane.waiting.add(activation);
    this.#queued += 1;
  }

  /** Whether a wanted activation waits its turn. */
  isWaiting(wanted: (activation: Activation) => boolean): boolean {
    for (const { waiting } of this.#lanes.values()) for (const one of waiting) if (wanted(one)) return true;
    return false;
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
      lane.running -= 1;
      this.#running -= 1;
      this.#fill(lane);
    });
  }
}
