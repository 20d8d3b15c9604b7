import type { Clock } from "../../core/clock.ts";
import { outside } from "../../core/outside.ts";
import type { QueuedRun } from "../../middleware/agent-component.ts";
import type { Activation } from "../runs/activation.ts";
import type { AgentQueue, Waiting } from "./agent-queue.ts";
import { AgentQueueHeap } from "./agent-queue-heap.ts";

/**
 * Number of started entries that are removed from a queue at once; removing them one by one would copy the queue each
 * time.
 */
const MAX_STARTED = 1_024;

/**
 * Starts activations within the limits of each agent and of the flock; paused agents start none.
 * Under the flock's limit, the highest priority goes first, then the oldest activation.
 */
export class Scheduler {
  readonly #start: (activation: Activation) => Promise<void>;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #queues = new Map<string, AgentQueue>();
  /** Queues that could start an activation but for the flock's limit. */
  readonly #offered = new AgentQueueHeap(arrivalOf);
  /** Names of paused agents, declared or not. */
  readonly #paused = new Set<string>();
  /** Queues whose first activation is delayed by a component, in order of the first delay. */
  readonly #delayed = new Set<AgentQueue>();
  #stopTimer: (() => void) | undefined;
  /** Running activations that have released their slot. */
  readonly #away = new Set<Activation>();
  /** Queues with activations that wait to reacquire a slot. */
  readonly #returning = new Set<AgentQueue>();
  #running = 0;
  /** Number of slots in use: all running activations except those that released their slot. */
  #taken = 0;
  #queued = 0;
  #held = 0;
  #arrivals = 0;

  /**
   * @param start runs an activation; its promise resolves when the run has ended and never rejects.
   * @param limit maximum concurrent runs of all agents.
   */
  constructor(clock: Clock, start: (activation: Activation) => Promise<void>, limit = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#start = start;
    this.#limit = limit;
  }

  get running(): number {
    return this.#running;
  }

  /** Number of waiting activations. */
  get queued(): number {
    return this.#queued;
  }

  /** Number of activations that wait for a paused agent. */
  get held(): number {
    return this.#held;
  }

  /** Names of paused agents, declared or not. */
  get paused(): ReadonlySet<string> {
    return this.#paused;
  }

  /** Number of running activations that have released their slot. */
  get away(): number {
    return this.#away.size;
  }

  /** Returns whether a matching activation waits. */
  isWaiting(matches: (activation: Activation) => boolean): boolean {
    for (const { waiting, next } of this.#queues.values()) {
      for (let index = next; index < waiting.length; index++) {
        if (matches((waiting[index] as Waiting).activation)) return true;
      }
    }
    return false;
  }

  /** Releases a run's slot until the run reacquires it or ends. */
  leave(activation: Activation): void {
    const queue = this.#queues.get(activation.agent.name);
    if (!queue || this.#away.has(activation)) return;
    this.#away.add(activation);
    queue.running -= 1;
    this.#taken -= 1;
    this.#offerNext(queue);
  }

  /** Waits for a slot for a run that released its own; also while its agent is paused. */
  reacquireSlot(activation: Activation): Promise<void> {
    const queue = this.#queues.get(activation.agent.name);
    if (!queue || !this.#away.delete(activation)) return Promise.resolve();
    return new Promise((resolve) => {
      queue.returning.set(activation, resolve);
      this.#returning.add(queue);
      this.#fill();
    });
  }

  /** Returns the waiting activations of one agent, oldest first. */
  waitingOf(agent: string): Activation[] {
    const queue = this.#queues.get(agent);
    return queue ? queue.waiting.slice(queue.next).map(({ activation }) => activation) : [];
  }

  /** Returns the number of waiting activations of one agent. */
  queuedOf(agent: string): number {
    const queue = this.#queues.get(agent);
    return queue ? sizeOf(queue) : 0;
  }

  /** Starts an activation as soon as limits, components and pauses allow it. */
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

  /** Removes and returns activations that have not started. */
  withdraw(matches: (activation: Activation) => boolean): Activation[] {
    const withdrawn: Activation[] = [];
    for (const queue of this.#queues.values()) {
      if (sizeOf(queue) === 0) continue;
      const before = withdrawn.length;
      const staying: Waiting[] = [];
      for (const one of queue.waiting.slice(queue.next)) {
        if (matches(one.activation)) withdrawn.push(one.activation);
        else staying.push(one);
      }
      if (withdrawn.length === before) continue;
      queue.waiting = staying;
      queue.next = 0;
      if (queue.paused) this.#held -= withdrawn.length - before;
    }
    this.#queued -= withdrawn.length;
    if (withdrawn.length > 0) this.#rebuildHeap();
    // Activations behind a withdrawn one may now have a shorter delay.
    if (withdrawn.length > 0 && this.#delayed.size > 0) this.#checkDelayed();
    return withdrawn;
  }

  /** Stops starting runs of an agent; active runs continue. Returns whether the agent was not paused before. */
  pause(agent: string): boolean {
    if (this.#paused.has(agent)) return false;
    this.#paused.add(agent);
    const queue = this.#queues.get(agent);
    if (queue) {
      queue.paused = true;
      this.#held += sizeOf(queue);
      if (queue.isOffered) this.#rebuildHeap();
      this.#clearDelay(queue);
    }
    return true;
  }

  /** Resumes a paused agent. Returns whether it was paused. */
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

  /** Adds a queue to the heap when its first activation could start. */
  #offer(queue: AgentQueue): void {
    if (queue.isOffered || queue.heldUntil !== undefined || !isReady(queue)) return;
    queue.isOffered = true;
    this.#offered.push(queue);
  }

  /** Rebuilds the heap after the first activations of some queues changed, which is rare. */
  #rebuildHeap(): void {
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
      // A run that reacquired its slot may have used the one that this queue was offered for.
      if (isReady(queue) && this.#beginFirst(queue)) this.#offer(queue);
    }
    this.#watch();
  }

  #letReturn(): void {
    for (const queue of this.#returning) {
      for (const [activation, resume] of queue.returning) {
        if (this.#taken >= this.#limit) return;
        if (queue.running >= queue.concurrency) break;
        queue.returning.delete(activation);
        queue.running += 1;
        this.#taken += 1;
        resume();
      }
      if (queue.returning.size === 0) this.#returning.delete(queue);
    }
  }

  /** Offers a queue that has a free slot again. */
  #offerNext(queue: AgentQueue): void {
    // Its components may decide differently now.
    this.#clearDelay(queue);
    this.#offer(queue);
    this.#fill();
  }

  /** Starts the first activation of a ready queue, unless a component delays it. */
  #beginFirst(queue: AgentQueue): boolean {
    const { activation } = queue.waiting[queue.next] as Waiting;
    const { hooks } = activation.agent;
    const wait = hooks && !activation.refusal ? outside(() => hooks.schedule(queuedRun(activation))) : 0;
    if (wait > 0) {
      queue.heldUntil = this.#clock.now() + wait;
      this.#delayed.add(queue);
      return false;
    }
    this.#clearDelay(queue);
    // Release the started activation from memory.
    queue.waiting[queue.next++] = undefined as never;
    if (queue.next === queue.waiting.length || queue.next === MAX_STARTED) {
      queue.waiting.splice(0, queue.next);
      queue.next = 0;
    }
    this.#queued -= 1;
    this.#begin(queue, activation);
    return true;
  }

  #clearDelay(queue: AgentQueue): void {
    queue.heldUntil = undefined;
    this.#delayed.delete(queue);
  }

  /** Checks each delayed queue once, in order, so that agents take turns under a shared rate limit. */
  #checkDelayed(): void {
    const begun: AgentQueue[] = [];
    for (const queue of [...this.#delayed]) {
      if (isReady(queue) && this.#taken < this.#limit) {
        if (this.#beginFirst(queue)) begun.push(queue);
      } else {
        this.#clearDelay(queue);
        this.#offer(queue);
      }
    }
    for (const queue of begun) this.#offer(queue);
    this.#fill();
  }

  /** Sets a timer for the earliest start of a delayed activation. */
  #watch(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#delayed.size === 0) return;
    const next = Math.min(...[...this.#delayed].map(({ heldUntil }) => heldUntil as number));
    // Keeps the process alive, because queued work is pending.
    this.#stopTimer = this.#clock.after(next - this.#clock.now(), () => this.#checkDelayed(), true);
  }

  #begin(queue: AgentQueue, activation: Activation): void {
    queue.running += 1;
    this.#taken += 1;
    this.#running += 1;
    this.#start(activation).then(() => {
      // A run that released its slot has none to free.
      if (!this.#away.delete(activation) && !queue.returning.delete(activation)) {
        queue.running -= 1;
        this.#taken -= 1;
      }
      this.#running -= 1;
      if (this.#queued > 0 || this.#returning.size > 0) this.#offerNext(queue);
    });
  }
}

/** Returns whether the queue could start an activation, apart from the flock's limit and components. */
function isReady(queue: AgentQueue): boolean {
  return !queue.paused && queue.running < queue.concurrency && sizeOf(queue) > 0;
}

function sizeOf(queue: AgentQueue): number {
  return queue.waiting.length - queue.next;
}

function arrivalOf(queue: AgentQueue): number {
  return (queue.waiting[queue.next] as Waiting).arrival;
}

/** Converts an activation for components. */
function queuedRun({ id, runId, agent, correlationId, attempt, artifacts }: Activation): QueuedRun {
  return { agent: agent.name, runId, correlationId, activationId: id, attempt, artifacts };
}
