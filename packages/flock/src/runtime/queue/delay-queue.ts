import type { Clock } from "../../core/clock.ts";
import type { Activation } from "../runs/activation.ts";

/** Holds activations until the time of their next attempt. */
export class DelayQueue {
  readonly #clock: Clock;
  readonly #onTime: (activation: Activation) => void;
  /** Activations with the function that cancels their timer, once it is set. */
  readonly #waiting = new Map<Activation, (() => void) | undefined>();

  /** @param onTime receives each activation at its time. */
  constructor(clock: Clock, onTime: (activation: Activation) => void) {
    this.#clock = clock;
    this.#onTime = onTime;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Adds an activation. It can be withdrawn from now on, and waits until {@link until} sets its time. */
  enter(activation: Activation): void {
    this.#waiting.set(activation, undefined);
  }

  /**
   * Releases an activation at a time, in milliseconds, or immediately if the time has passed. Has no effect after a
   * withdrawal.
   */
  until(activation: Activation, at: number): void {
    if (!this.#waiting.has(activation)) return;
    const callOff = this.#clock.after(
      Math.max(0, at - this.#clock.now()),
      () => {
        if (this.#waiting.delete(activation)) this.#onTime(activation);
      },
      true,
    );
    this.#waiting.set(activation, callOff);
  }

  /** Returns whether a matching activation waits. */
  has(matches: (activation: Activation) => boolean): boolean {
    for (const one of this.#waiting.keys()) if (matches(one)) return true;
    return false;
  }

  /** Removes and returns matching activations. */
  withdraw(matches: (activation: Activation) => boolean): Activation[] {
    const withdrawn = [...this.#waiting.keys()].filter(matches);
    for (const activation of withdrawn) {
      this.#waiting.get(activation)?.();
      this.#waiting.delete(activation);
    }
    return withdrawn;
  }
}
