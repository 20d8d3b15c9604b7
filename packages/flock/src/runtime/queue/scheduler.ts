import type { Clock } from "../../core/clock.ts";
import type { QueuedRun } from "../../middleware/agent-component.ts";
import type { Activation } from "../runs/activation.ts";
import type { AgentQueue, Waiting } from "./agent-queue.ts";
import { AgentQueueHeap } from "./agent-queue-heap.ts";

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
  readonly #queues = new Map<string, AgentQueue>();
  /** Lanes of which one could begin but for the limit. */
  readonly #offered = new AgentQueueHeap(arrivalOf);
  /** Names of agents that are paused, declared or not. */
  readonly #paused = new Set<string>();
  /** Lanes whose first activation has to wait for its time, in the order in which they came to that. */
  readonly #timed = new Set<AgentQueue>();
  #stopTimer: (() => void) | undefined;
  /** Those that have begun and do not need their place for now. */
  readonly #away = new Set<Activation>();
  /** Lanes of those that want to come back. */
  readonly #returning = new Set<AgentQueue>();
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
    for (const { waiting, next } of this.#queues.values()) {
      for (let place = next; place < waiting.length; place++) {
        if (wanted((waiting[place] as Waiting).activation)) return true;
      }
    }
    return false;
  }

  /** A run gives its place to others, until it comes back or ends. */
  leave(activation: Activation): void {
    const queue = this.#queues.get(activation.agent.name);
    if (!queue || this.#away.has(activation)) return;
    this.#away.add(activation);
    queue.running -= 1;
    this.#taken -= 1;
    this.#offerNext(queue);
  }

  /** A run that has left wants to go on, its agent paused or not. Resolves when it may. */
  reacquireSlot(activation: Activation): Promise<void> {
    const queue = this.#queues.get(activation.agent.name);
    if (!queue || !this.#away.delete(activation)) return Promise.resolve();
    return new Promise((resolve) => {
      queue.returning.set(activation, resolve);
      this.#returning.add(queue);
      this.#fill();
    });
  }

  /** What waits of one agent, oldest first. */
  waitingOf(agent: string): Activation[] {
    const queue = this.#queues.get(agent);
    return queue ? queue.waiting.slice(queue.next).map(({ activation }) => activation) : [];
  }

  /** How many wait of one agent. */
  queuedOf(agent: string): number {
    const queue = this.#queues.get(agent);
    return queue ? sizeOf(queue) : 0;
  }

  /** Runs an activation as soon as there is room for it, its components let it, and its agent is not paused. */
  enqueue(activation: Activation): void {
    const { name, concurrency, priority } = activation.agent;
    let queue = this.#queues.get(name);
    if (!queue) {
      const paused = this.#paused.has(name);
      const none = { running: 0, waiting: [], next: 0, isOffered: false, heldUntil: undefined };
      queue = { priority, concurrency, paused, ...none, returning: new Map() };
      this.#queues.set(name, queue);
    }
    const isNext =
      this.#taken < this.#limit && queue.running < queue.concurrency && !queue.paused && sizeOf(queue) === 0;
    if (isNext && !activation.agent.hooks) {
      this.#begin(queue, activation);
      return;
    }
    queue.waiting.push({ activation, arrival: ++this.#arrivals });
    this.#queued += 1;
    if (queue.paused) this.#held += 1;
    else this.#offer(queue);
    if (isNext) this.#fill();
  }

  /** Takes activations that have not started out of the queue and gives them back. */
  withdraw(wanted: (activation: Activation) => boolean): Activation[] {
    const withdrawn: Activation[] = [];
    for (const queue of this.#queues.values()) {
      if (sizeOf(queue) === 0) continue;
      const before = withdrawn.length;
      const staying: Waiting[] = [];
      for (const one of queue.waiting.slice(queue.next)) {
        if (wanted(one.activation)) withdrawn.push(one.activation);
        else staying.push(one);
      }
      if (withdrawn.length === before) continue;
      queue.waiting = staying;
      queue.next = 0;
      if (queue.paused) this.#held -= withdrawn.length - before;
    }
    this.#queued -= withdrawn.length;
    if (withdrawn.length > 0) this.#offerAnew();
    // What waited behind a withdrawn one may have less to wait for, and nobody is called for an empty queue.
    if (withdrawn.length > 0 && this.#timed.size > 0) this.#askTimed();
    return withdrawn;
  }

  /** From now on nothing of an agent begins; what runs goes on. Tells whether that is new. */
  pause(agent: string): boolean {
    if (this.#paused.has(agent)) return false;
    this.#paused.add(agent);
    const queue = this.#queues.get(agent);
    if (queue) {
      queue.paused = true;
      this.#held += sizeOf(queue);
      if (queue.isOffered) this.#offerAnew();
      this.#forgetTime(queue);
    }
    return true;
  }

  /** Lets a paused agent go on. Tells whether it was paused. */
  resume(agent: string): boolean {
    if (!this.#paused.delete(agent)) return false;
    const queue = this.#queues.get(agent);
    if (queue) {
      queue.paused = false;
      this.#held -= sizeOf(queue);
      this.#offer(queue);
      this.#fill();
    }
    return true;
  }

  /** Lets a queue wait for the flock's room, when one of it could begin. */
  #offer(queue: AgentQueue): void {
    if (queue.isOffered || queue.heldUntil !== undefined || !isReady(queue)) return;
    queue.isOffered = true;
    this.#offered.push(queue);
  }

  /** The first of some queues are others now, which is rare. */
  #offerAnew(): void {
    this.#offered.clear();
    for (const queue of this.#queues.values()) {
      queue.isOffered = false;
      this.#offer(queue);
    }
  }

  #fill(): void {
    this.#letReturn();
    while (this.#taken < this.#limit) {
      const queue = this.#offered.pop();
      if (!queue) break;
      queue.isOffered = false;
      // One that has come back may have taken the place that it was offered for.
      if (isReady(queue) && this.#beginFirst(queue)) this.#offer(queue);
    }
    this.#watch();
  }

  #letReturn(): void {
    for (const queue of this.#returning) {
      for (const [activation, goOn] of queue.returning) {
        if (this.#taken >= this.#limit) return;
        if (queue.running >= queue.concurrency) break;
        queue.returning.delete(activation);
        queue.running += 1;
        this.#taken += 1;
        goOn();
      }
      if (queue.returning.size === 0) this.#returning.delete(queue);
    }
  }

  /** There is a place in a queue again. */
  #offerNext(queue: AgentQueue): void {
    // Its components may think otherwise now.
    this.#forgetTime(queue);
    this.#offer(queue);
    this.#fill();
  }

  /** Begins the first of a queue that is ready, unless it has to wait for its time. */
  #beginFirst(queue: AgentQueue): boolean {
    const { activation } = queue.waiting[queue.next] as Waiting;
    const { hooks } = activation.agent;
    const wait = hooks && !activation.refusal ? hooks.schedule(queuedRun(activation)) : 0;
    if (wait > 0) {
      queue.heldUntil = this.#clock.now() + wait;
      this.#timed.add(queue);
      return false;
    }
    this.#forgetTime(queue);
    // What has begun shall not stay in memory for what waits behind it.
    queue.waiting[queue.next++] = undefined as never;
    if (queue.next === queue.waiting.length || queue.next === MAX_GONE) {
      queue.waiting.splice(0, queue.next);
      queue.next = 0;
    }
    this.#queued -= 1;
    this.#begin(queue, activation);
    return true;
  }

  #forgetTime(queue: AgentQueue): void {
    queue.heldUntil = undefined;
    this.#timed.delete(queue);
  }

  /** Each queue that waits for its time has one turn, in order, before one of them has another: a limit that they share is shared in turn. */
  #askTimed(): void {
    const begun: AgentQueue[] = [];
    for (const queue of [...this.#timed]) {
      if (isReady(queue) && this.#taken < this.#limit) {
        if (this.#beginFirst(queue)) begun.push(queue);
      } else {
        this.#forgetTime(queue);
        this.#offer(queue);
      }
    }
    for (const queue of begun) this.#offer(queue);
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

  #begin(queue: AgentQueue, activation: Activation): void {
    queue.running += 1;
    this.#taken += 1;
    this.#running += 1;
    this.#start(activation).then(() => {
      // Whoever is away has no place to give back.
      if (!this.#away.delete(activation) && !queue.returning.delete(activation)) {
        queue.running -= 1;
        this.#taken -= 1;
      }
      this.#running -= 1;
      if (this.#queued > 0 || this.#returning.size > 0) this.#offerNext(queue);
    });
  }
}

/** Whether one of it could begin, if the flock has room and its components let it. */
function isReady(queue: AgentQueue): boolean {
  return !queue.paused && queue.running < queue.concurrency && sizeOf(queue) > 0;
}

function sizeOf(queue: AgentQueue): number {
  return queue.waiting.length - queue.next;
}

function arrivalOf(queue: AgentQueue): number {
  return (queue.waiting[queue.next] as Waiting).arrival;
}

/** The activation as components see it. */
function queuedRun({ id, runId, agent, correlationId, attempt, artifacts }: Activation): QueuedRun {
  return { agent: agent.name, runId, correlationId, activationId: id, attempt, artifacts };
}
