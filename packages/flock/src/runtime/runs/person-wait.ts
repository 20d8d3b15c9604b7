import { currentActivity } from "./current-run.ts";
import type { Activity, Occupancy } from "./occupancy.ts";

/** A run's wait for an answer. It waits while the question is open and its function awaits the answer. */
export class PersonWait {
  readonly #occupancy: Occupancy;
  #isOpen = false;
  #isAwaited = false;
  /** The activity that awaits the answer, if one does. */
  #within: Activity | undefined;
  #end: (() => Promise<void> | undefined) | undefined;

  constructor(occupancy: Occupancy) {
    this.#occupancy = occupancy;
  }

  /** The question waits for an answer. */
  open(): void {
    this.#isOpen = true;
    this.#begin();
  }

  /** The caller awaits the answer. */
  awaited(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#within = currentActivity();
    this.#begin();
  }

  /** The question is closed. Returns what to await before the run goes on, if there is something. */
  close(): Promise<void> | undefined {
    this.#isOpen = false;
    const end = this.#end;
    this.#end = undefined;
    return end?.();
  }

  #begin(): void {
    if (this.#isOpen && this.#isAwaited) this.#end ??= this.#occupancy.wait("person", this.#within);
  }
}
