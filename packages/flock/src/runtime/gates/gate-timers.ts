import type { Clock } from "../../core/clock.ts";
import type { Gate } from "./gate.ts";

interface Timer {
  /** What it waits for, in milliseconds. */
  readonly deadline: number;
  readonly cancel: () => void;
}

/** Wakes gates when they want to be woken: one timer for each gate that waits for something, however much it waits for. */
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
   * To be called when a gate has changed. A timer that now comes too early stays: it finds nothing to do and waits on,
   * which is cheaper than setting it anew for each artifact. `pause`: not before so many milliseconds have passed.
   */
  watch(gate: Gate, pause = 0): void {
    const { deadline } = gate;
    const timer = this.#timers.get(gate);
    if (this.#stopped || deadline >= (timer?.deadline ?? Number.POSITIVE_INFINITY)) return;
    timer?.cancel();
    const cancel = this.#clock.after(Math.max(deadline - this.#clock.now(), pause), () => {
      this.#timers.delete(gate);
      // Timers keep another time than the clock: one may come a moment before its deadline.
      if (gate.deadline <= this.#clock.now()) this.#wake(gate);
      else this.watch(gate);
    });
    this.#timers.set(gate, { deadline, cancel });
  }

  /** Nothing ticks any more. */
  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
