import type { Activation } from "../runs/activation.ts";
/** The active and queued runs of one agent. */
export interface AgentQueue {
  readonly priority: number;
  readonly concurrency: number;
  running: number;
  paused: boolean;
  /** In order of arrival, starting at `next`. Earlier entries have started. */
  waiting: Waiting[];
  next: number;
  /** Whether the queue is in the heap: its first activation could start, but the flock's limit is reached. */
  isOffered: boolean;
  /** Earliest start of its first activation on the monotonic clock, in ms; undefined when no component delays it. */
  heldUntil: number | undefined;
  /** Activations that wait to reacquire their slot. They resume before any queued activation starts. */
  readonly returning: Map<Activation, () => void>;
}

/** A queued activation with its sequence number in the flock. */
export interface Waiting {
  readonly activation: Activation;
  readonly arrival: number;
}
