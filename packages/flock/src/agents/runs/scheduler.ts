import type { Clock } from "../../clock.ts";
import type { Activation } from "./activation.ts";
import { LaneHeap } from "./lane-heap.ts";

/** One agent's runs: those that go on, and those that wait their turn. */
export interface Lane {
  readonly priority: number;
  readonly concurrency: number;
  running: number;
  paused: boolean;
  /** In the order of arrival, from `next` on: those before it have begun. */
  waiting: Waiting[];
  next: number;
  /** Whether the heap of lanes has it: one of its activations could begin, and waits for the flock to have room. */
  isOffered: boolean;
  /** When its first one may begin, in ms since 1970; undefined when that waits for nothing but room. */
  heldUntil: number | undefined;
  /** Those that were away and go on as soon as there is a place, before any that has not begun. */
  readonly returning: Map<Activation, () => void>;
}

/** An activation that waits; the how many-th of the flock. */
interface Waiting {
  readonly activation: Activation;
  readonly arrival: number;
}

/** So many places of activations that have begun are let go of at once: one by one would copy the queue each time. */
const MAX_GONE = 1_024;

/**
 * Starts activations: never more of one agent at a time than it allows, nor of all together than the flock allows, and none of an
 * agent that is paused. Where the flock's room is scarce, the highest priority goes first, and within one the oldest.
 */
export class Scheduler {
  readonly #start: (activation: Activation) => Promise<void>;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes of which one could begin but for the limit. */
  readonly #offered = new LaneHeap(arrivalOf);
  /** Names of agents that are paused, declared or not. */
  readonly #paused = new Set<string>();
  /** Lanes whose first activation has to wait for its time, in the order in which they came to that. */
  readonly #timed = new Set<Lane>();
  #stopTimer: (() => void) | undefined;
  /** Those that have begun and do not need their place for now. */
  readonly #away = new Set<Activation>();
  /** Lanes of those that want to come back. */
  readonly #returning = new Set<Lane>();
  #running = 0;
  /** Places that are taken: by all that run but those that are away. */
  #taken = 0;
  #queued = 0;
  #held = 0;
  #arrivals = 0;

  /** `start` runs an activation; its promise resolves when the run has ended, and never rejects. `limit`: runs at a time, of all agents. */
  constructor(clock: Clock, start: (activation: Activation) => Promise<void>, limit = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#start = start;
    this.#limit = limit;
  }

  get running(): number {
    return this.#running;
  }

  /** Those that wait, for whatever reason. */
  get queued(): number {
    return this.#queued;
  }

  /** Those that wait for a paused agent. */
  get held(): number {
    return this.#held;
  }

  /** Names of agents that are paused, declared or not. */
  get paused(): ReadonlySet<string> {
    return this.#paused;
  }

  /** How many of the running have left their place to others. */
  get away(): number {
    return this.#away.size;
  }

  /** Whether a wanted activation waits its turn. */
  isWaiting(wanted: (activation: Activation) => boolean): boolean {
    for (const { waiting, next } of this.#lanes.values()) {
      for (let place = next; place < waiting.length; place++) {
        if (wanted((waiting[place] as Waiting).activation)) return true;
      }
    }
    return false;
  }

  /** A run gives its place to others, until it comes back or ends. */
  leave(activation: Activation): void {
    const lane = this.#lanes.get(activation.agent.name);
    if (!lane || this.#away.has(activation)) return;
    this.#away.add(activation);
    lane.running -= 1;
    this.#taken -= 1;
    this.#offerNext(lane);
  }

  /** A run that has left wants to go on, its agent paused or not. Resolves when it may. */
  comeBack(activation: Activation): Promise<void> {
    const lane = this.#lanes.get(activation.agent.name);
    if (!lane || !this.#away.delete(activation)) return Promise.resolve();
    return new Promise((resolve) => {
      lane.returning.set(activation, resolve);
      this.#returning.add(lane);
      this.#fill();
    });
  }

  /** What waits of one agent, oldest first. */
  waitingOf(agent: string): Activation[] {
    const lane = this.#lanes.get(agent);
    return lane ? lane.waiting.slice(lane.next).map(({ activation }) => activation) : [];
  }

  /** How many wait of one agent. */
  queuedOf(agent: string): number {
    const lane = this.#lanes.get(agent);
    return lane ? sizeOf(lane) : 0;
  }

  /** Runs an activation as soon as there is room for it, its components let it, and its agent is not paused. */
  enqueue(activation: Activation): void {
    const { name, concurrency, priority } = activation.agent;
    let lane = this.#lanes.get(name);
    if (!lane) {
      const paused = this.#paused.has(name);
      const none = { running: 0, waiting: [], next: 0, isOffered: false, heldUntil: undefined };
      lane = { priority, concurrency, paused, ...none, returning: new Map() };
      this.#lanes.set(name, lane);
    }
    const isNext = this.#taken < this.#limit && lane.running < lane.concurrency && !lane.paused && sizeOf(lane) === 0;
    if (isNext && !activation.agent.hooks) {
      this.#begin(lane, activation);
      return;
    }
    lane.waiting.push({ activation, arrival: ++this.#arrivals });
    this.#queued += 1;
    if (lane.paused) this.#held += 1;
    else this.#offer(lane);
    if (isNext) this.#fill();
  }

  /** Takes activations that have not started out of the queue and gives them back. */
  withdraw(wanted: (activation: Activation) => boolean): Activation[] {
    const withdrawn: Activation[] = [];
    for (const lane of this.#lanes.values()) {
      if (sizeOf(lane) === 0) continue;
      const before = withdrawn.length;
      const staying: Waiting[] = [];
      for (const one of lane.waiting.slice(lane.next)) {
        if (wanted(one.activation)) withdrawn.push(one.activation);
        else staying.push(one);
      }
      if (withdrawn.length === before) continue;
      lane.waiting = staying;
      lane.next = 0;
      if (lane.paused) this.#held -= withdrawn.length - before;
    }
    this.#queued -= withdrawn.length;
    if (withdrawn.length > 0) this.#offerAnew();
    // What waited behind a withdrawn one may have less to wait for, and nobody is called for an empty lane.
    if (withdrawn.length > 0 && this.#timed.size > 0) this.#askTimed();
    return withdrawn;
  }

  /** From now on nothing of an agent begins; what runs goes on. Tells whether that is new. */
  pause(agent: string): boolean {
    if (this.#paused.has(agent)) return false;
    this.#paused.add(agent);
    const lane = this.#lanes.get(agent);
    if (lane) {
      lane.paused = true;
      this.#held += sizeOf(lane);
      if (lane.isOffered) this.#offerAnew();
      this.#forgetTime(lane);
    }
    return true;
  }

  /** Lets a paused agent go on. Tells whether it was paused. */
  resume(agent: string): boolean {
    if (!this.#paused.delete(agent)) return false;
    const lane = this.#lanes.get(agent);
    if (lane) {
      lane.paused = false;
      this.#held -= sizeOf(lane);
      this.#offer(lane);
      this.#fill();
    }
    return true;
  }

  /** Lets a lane wait for the flock's room, when one of it could begin. */
  #offer(lane: Lane): void {
    if (lane.isOffered || lane.heldUntil !== undefined || !isReady(lane)) return;
    lane.isOffered = true;
    this.#offered.push(lane);
  }

  /** The first of some lanes are others now, which is rare. */
  #offerAnew(): void {
    this.#offered.clear();
    for (const lane of this.#lanes.values()) {
      lane.isOffered = false;
      this.#offer(lane);
    }
  }

  #fill(): void {
    this.#letReturn();
    while (this.#taken < this.#limit) {
      const lane = this.#offered.pop();
      if (!lane) break;
      lane.isOffered = false;
      // One that has come back may have taken the place that it was offered for.
      if (isReady(lane) && this.#beginFirst(lane)) this.#offer(lane);
    }
    this.#watch();
  }

  #letReturn(): void {
    for (const lane of this.#returning) {
      for (const [activation, goOn] of lane.returning) {
        if (this.#taken >= this.#limit) return;
        if (lane.running >= lane.concurrency) break;
        lane.returning.delete(activation);
        lane.running += 1;
        this.#taken += 1;
        goOn();
      }
      if (lane.returning.size === 0) this.#returning.delete(lane);
    }
  }

  /** There is a place in a lane again. */
  #offerNext(lane: Lane): void {
    // Its components may think otherwise now.
    this.#forgetTime(lane);
    this.#offer(lane);
    this.#fill();
  }

  /** Begins the first of a lane that is ready, unless it has to wait for its time. */
  #beginFirst(lane: Lane): boolean {
    const { activation } = lane.waiting[lane.next] as Waiting;
    const { hooks } = activation.agent;
    const wait = hooks && !activation.refusal ? hooks.schedule(activation) : 0;
    if (wait > 0) {
      lane.heldUntil = this.#clock.now() + wait;
      this.#timed.add(lane);
      return false;
    }
    this.#forgetTime(lane);
    // What has begun shall not stay in memory for what waits behind it.
    lane.waiting[lane.next++] = undefined as never;
    if (lane.next === lane.waiting.length || lane.next === MAX_GONE) {
      lane.waiting.splice(0, lane.next);
      lane.next = 0;
    }
    this.#queued -= 1;
    this.#begin(lane, activation);
    return true;
  }

  #forgetTime(lane: Lane): void {
    lane.heldUntil = undefined;
    this.#timed.delete(lane);
  }

  /** Each lane that waits for its time has one turn, in order, before one of them has another: a limit that they share is shared in turn. */
  #askTimed(): void {
    const begun: Lane[] = [];
    for (const lane of [...this.#timed]) {
      if (isReady(lane) && this.#taken < this.#limit) {
        if (this.#beginFirst(lane)) begun.push(lane);
      } else {
        this.#forgetTime(lane);
        this.#offer(lane);
      }
    }
    for (const lane of begun) this.#offer(lane);
    this.#fill();
  }

  /** Is called back when the first of those that wait for their time may begin. */
  #watch(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#timed.size === 0) return;
    const next = Math.min(...[...this.#timed].map(({ heldUntil }) => heldUntil as number));
    // The process does not end before what it has taken on.
    this.#stopTimer = this.#clock.after(next - this.#clock.now(), () => this.#askTimed(), true);
  }

  #begin(lane: Lane, activation: Activation): void {
    lane.running += 1;
    this.#taken += 1;
    this.#running += 1;
    this.#start(activation).then(() => {
      // Whoever is away has no place to give back.
      if (!this.#away.delete(activation) && !lane.returning.delete(activation)) {
        lane.running -= 1;
        this.#taken -= 1;
      }
      this.#running -= 1;
      if (this.#queued > 0 || this.#returning.size > 0) this.#offerNext(lane);
    });
  }
}

/** Whether one of it could begin, if the flock has room and its components let it. */
function isReady(lane: Lane): boolean {
  return !lane.paused && lane.running < lane.concurrency && sizeOf(lane) > 0;
}

function sizeOf(lane: Lane): number {
  return lane.waiting.length - lane.next;
}

function arrivalOf(lane: Lane): number {
  return (lane.waiting[lane.next] as Waiting).arrival;
}
