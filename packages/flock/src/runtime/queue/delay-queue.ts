import type { Clock } from "../../core/clock.ts";
import type { Activation } from "../runs/activation.ts";

/** Activations whose next attempt has a time. */
export class DelayQueue {
  readonly #clock: Clock;
  readonly #onTime: (activation: Activation) => void;
  /** With what calls the timer off, once there is one. */
  readonly #waiting = new Map<Activation, (() => void) | undefined>();

  /** `onTime` takes each activation when its time has come. */
  constructor(clock: Clock, onTime: (activation: Activation) => void) {
    this.#clock = clock;
    this.#onTime = onTime;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes an activation in. It can be withdrawn from now on, and waits until somebody says {@link until} when. */
  enter(activation: Activation): void {
    this.#waiting.set(activation, undefined);
  }

  /** Lets an activation go at a time, in milliseconds; at once when that has passed. Does nothing when it has been withdrawn. */
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

  /** Whether a wanted activation waits. */
  has(wanted: (activation: Activation) => boolean): boolean {
    for (const one of this.#waiting.keys()) if (wanted(one)) return true;
    return false;
  }

  /** Takes activations out whose time has not come, and gives them back. */
  withdraw(wanted: (activation: Activation) => boolean): Activation[] {
    const withdrawn = [...this.#waiting.keys()].filter(wanted);
    for (const activation of withdrawn) {
      this.#waiting.get(activation)?.();
      this.#waiting.delete(activation);
    }
    return withdrawn;
  }
}
