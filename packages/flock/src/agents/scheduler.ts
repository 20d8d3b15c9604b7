import type { Clock } from "../clock.ts";
import type { Activation } from "./activation.ts";

/** One agent's runs: those that go on, and those that wait their turn. */
interface Lane {
  running: number;
  readonly waiting: Set<Activation>;
  /** When its first one may begin, in ms since 1970; undefined when that waits for nothing but room. */
  heldUntil: number | undefined;
  /** Those that were away and go on as soon as there is a place, before any that has not begun. */
  readonly returning: Map<Activation, () => void>;
}

/** Starts activations, first come first served, never more of one agent at a time than it allows. */
export class Scheduler {
  readonly #start: (activation: Activation) => Promise<void>;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes whose first activation has to wait for its time, in the order in which they came to that. */
  readonly #held = new Set<Lane>();
  #stopTimer: (() => void) | undefined;
  /** Those that have begun and do not need their place for now. */
  readonly #away = new Set<Activation>();
  #running = 0;
  #queued = 0;

  /** `start` runs an activation; its promise resolves when the run has ended, and never rejects. */
  constructor(clock: Clock, start: (activation: Activation) => Promise<void>) {
    this.#clock = clock;
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

  /** Runs an activation as soon as its agent has room, and its components let it. */
  enqueue(activation: Activation): void {
    let lane = this.#lanes.get(activation.agent.name);
    if (!lane) {
      lane = { running: 0, waiting: new Set(), heldUntil: undefined, returning: new Map() };
      this.#lanes.set(activation.agent.name, lane);
    }
    const isNext = lane.waiting.size === 0 && lane.running < activation.agent.concurrency;
    if (isNext && !activation.agent.hooks) {
      this.#begin(lane, activation);
      return;
    }
    lane.waiting.add(activation);
    this.#queued += 1;
    if (isNext) this.#fill(lane);
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
    // What waited behind a withdrawn one may have less to wait for, and nobody is called for an empty lane.
    if (withdrawn.length > 0 && this.#held.size > 0) this.#askHeld();
    return withdrawn;
  }

  #fill(lane: Lane): void {
    for (const [activation, goOn] of lane.returning) {
      if (lane.running >= activation.agent.concurrency) return;
      lane.returning.delete(activation);
      lane.running += 1;
      goOn();
    }
    while (this.#beginFirst(lane));
    this.#watch();
  }

  /** Begins the first that waits, unless there is no room or it has to wait for its time. */
  #beginFirst(lane: Lane): boolean {
    const [activation] = lane.waiting;
    if (!activation || lane.running >= activation.agent.concurrency) {
      this.#held.delete(lane);
      return false;
    }
    const { hooks } = activation.agent;
    const wait = hooks && !activation.refusal ? hooks.schedule(activation) : 0;
    if (wait > 0) {
      lane.heldUntil = this.#clock.now() + wait;
      this.#held.add(lane);
      return false;
    }
    this.#held.delete(lane);
    lane.waiting.delete(activation);
    this.#queued -= 1;
    this.#begin(lane, activation);
    return true;
  }

  /** Each held lane has one turn, in order, before one of them has another: a limit that they share is shared in turn. */
  #askHeld(): void {
    const begun = [...this.#held].filter((lane) => this.#beginFirst(lane));
    for (const lane of begun) while (this.#beginFirst(lane));
    this.#watch();
  }

  /** Is called back when the first of the held may begin. */
  #watch(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#held.size === 0) return;
    const next = Math.min(...[...this.#held].map(({ heldUntil }) => heldUntil as number));
    // The process does not end before what it has taken on.
    this.#stopTimer = this.#clock.after(next - this.#clock.now(), () => this.#askHeld(), true);
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
