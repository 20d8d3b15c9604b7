import type { Gate } from "./gate.ts";

/** The longest that a timer of Node can wait, in milliseconds: some 25 days. With more it would not wait at all. */
const MAX_DELAY = 2 ** 31 - 1;

interface Timer {
  /** What it waits for, in milliseconds. */
  readonly deadline: number;
  readonly handle: NodeJS.Timeout;
}

/** Wakes gates when they want to be woken: one timer for each gate that waits for something, however much it waits for. */
export class GateTimers {
  readonly #wake: (gate: Gate) => void;
  readonly #timers = new Map<Gate, Timer>();
  #stopped = false;

  constructor(wake: (gate: Gate) => void) {
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
    clearTimeout(timer?.handle);
    const delay = Math.min(Math.max(deadline - Date.now(), pause), MAX_DELAY);
    const handle = setTimeout(() => {
      this.#timers.delete(gate);
      // Timers keep another time than the clock: one may come a moment before its deadline, or days.
      if (gate.deadline <= Date.now()) this.#wake(gate);
      else this.watch(gate);
    }, delay).unref();
    this.#timers.set(gate, { deadline, handle });
  }

  /** Nothing ticks any more. */
  stop(): void {
    this.#stopped = true;
    for (const { handle } of this.#timers.values()) clearTimeout(handle);
    this.#timers.clear();
  }
}
