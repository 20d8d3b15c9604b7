import type { Clock } from "../clock.ts";
import type { Activation } from "./activation.ts";

/** One agent's runs: those that go on, and those that wait their turn. */
interface Lane {
  running: number;
  readonly waiting: Set<Activation>;
  /** When its first one may begin, in ms since 1970; undefined when that waits for nothing but room. */
  heldUntil: number | undefined;
}

/** Starts activations, first come first served, never more of one agent at a time than it allows. */
export class Scheduler {
  readonly #start: (activation: Activation) => Promise<void>;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes whose first activation has to wait for its time, in the order in which they came to that. */
  readonly #held = new Set<Lane>();
  #stopTimer: (() => void) | undefined;
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

  /** Runs an activation as soon as its agent has room, and its components let it. */
  enqueue(activation: Activation): void {
    let lane = this.#lanes.get(activation.agent.name);
    if (!lane)
      this.#lanes.set(activation.agent.name, (lane = { running: 0, waiting: new Set(), heldUntil: undefined }));
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
      lane.running -= 1;
      this.#running -= 1;
      this.#fill(lane);
    });
  }
}
