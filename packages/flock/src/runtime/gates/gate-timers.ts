import type { Clock } from "../../core/clock.ts";
import { outside } from "../../core/outside.ts";
import type { Gate } from "./gate.ts";

interface Timer {
  /** The deadline that the timer was set for, in milliseconds. */
  readonly deadline: number;
  readonly cancel: () => void;
}

/** Wakes gates at their deadlines, with at most one timer per gate. */
export class GateTimers {
  readonly #clock: Clock;
  readonly #wake: (gate: Gate) => void;
  readonly #timers = new Map<Gate, Timer>();
  #stopped = false;

  constructor(clock: Clock, wake: (gate: Gate) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /**
   * Updates the timer after a gate has changed. A timer that is now too early is kept: it finds nothing due and is set
   * again, which is cheaper than resetting it for each artifact.
   * @param pause minimum delay, in ms.
   */
  watch(gate: Gate, pause = 0): void {
    const { deadline } = gate;
    const timer = this.#timers.get(gate);
    if (this.#stopped || deadline >= (timer?.deadline ?? Number.POSITIVE_INFINITY)) return;
    timer?.cancel();
    const cancel = this.#clock.after(Math.max(deadline - this.#clock.now(), pause), () => {
      this.#timers.delete(gate);
      // Timers and the clock can differ slightly, so a timer may fire just before its deadline.
      if (gate.deadline <= this.#clock.now()) outside(() => this.#wake(gate));
      else this.watch(gate);
    });
    this.#timers.set(gate, { deadline, cancel });
  }

  /** Cancels all timers. */
  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
