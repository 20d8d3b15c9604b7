import type { Activation } from "../runs/activation.ts";
/** One agent's runs: those that go on, and those that wait their turn. */
export interface AgentQueue {
  readonly priority: number;
  readonly concurrency: number;
  running: number;
  paused: boolean;
  /** In the order of arrival, from `next` on: those before it have begun. */
  waiting: Waiting[];
  next: number;
  /** Whether the heap of queues has it: one of its activations could begin, and waits for the flock to have room. */
  isOffered: boolean;
  /** When its first one may begin, in ms since 1970; undefined when that waits for nothing but room. */
  heldUntil: number | undefined;
  /** Those that were away and go on as soon as there is a place, before any that has not begun. */
  readonly returning: Map<Activation, () => void>;
}

/** An activation that waits; the how many-th of the flock. */
export interface Waiting {
  readonly activation: Activation;
  readonly arrival: number;
}
