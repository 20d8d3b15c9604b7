/** The concurrency slot of a run. */
export interface RunSlot {
  release(): void;
  /** Resolves when the run may continue. */
  reacquire(): Promise<void>;
}

/** The clock of a run's timeout. */
export interface RunClock {
  pause(): void;
  resume(): void;
}

/** What a run waits for: a person, or another run of the flock. */
export type Awaited = "person" | "run";

/** A part of a run that works on its own, such as a step. It waits while something inside it does. */
export class Activity {
  readonly #occupancy: Occupancy;
  readonly parent: Activity | undefined;
  waits = 0;
  #ended = false;

  constructor(occupancy: Occupancy, parent: Activity | undefined) {
    this.#occupancy = occupancy;
    this.parent = parent;
  }

  get isWorking(): boolean {
    return !this.#ended && this.waits === 0;
  }

  end(): void {
    if (this.#ended) return;
    const isWorking = this.isWorking;
    this.#ended = true;
    if (isWorking) this.#occupancy.stoppedWorking();
  }
}

/**
 * Whether a run occupies its slot and its clock goes on. It releases the slot while it waits for a person or another run
 * and none of its activities works. The clock is paused only while it waits for people alone.
 */
export class Occupancy {
  readonly #slot: RunSlot;
  readonly #clock: RunClock | undefined;
  readonly #waits: Record<Awaited, number> = { person: 0, run: 0 };
  /** Number of activities that work. */
  #working = 0;
  #isAway = false;
  /** Settles when the slot is back; undefined while it is there, or away. */
  #returning: PromiseWithResolvers<void> | undefined;
  #isOver = false;

  /** @param clock undefined for a run without a timeout. */
  constructor(slot: RunSlot, clock: RunClock | undefined) {
    this.#slot = slot;
    this.#clock = clock;
  }

  /** Resolves when the run has its slot again; undefined when there is nothing to wait for. Rejects when it is stopped. */
  get occupied(): Promise<void> | undefined {
    return this.#returning?.promise;
  }

  /** An activity begins. Before it works, await {@link occupied}. */
  begin(parent?: Activity): Activity {
    this.#working += 1;
    this.#update();
    return new Activity(this, parent);
  }

  /**
   * The run waits, in an activity or outside of them. Returns a function that ends the wait and returns what to await
   * before the run goes on, if there is something.
   */
  wait(kind: Awaited, within: Activity | undefined): () => Promise<void> | undefined {
    this.#waits[kind] += 1;
    for (let one = within; one; one = one.parent) {
      if (one.isWorking) this.#working -= 1;
      one.waits += 1;
    }
    this.#update();
    return () => {
      this.#waits[kind] -= 1;
      for (let one = within; one; one = one.parent) {
        one.waits -= 1;
        if (one.isWorking) this.#working += 1;
      }
      this.#update();
      return this.occupied;
    };
  }

  /** For {@link Activity.end}. */
  stoppedWorking(): void {
    this.#working -= 1;
    this.#update();
  }

  /** The run ends: it needs its slot no more. Rejects {@link occupied} with the reason, if there is one. */
  end(reason?: Error): void {
    this.#isOver = true;
    if (reason) this.#returning?.reject(reason);
  }

  #update(): void {
    if (this.#isOver || this.#returning) return;
    const isWaiting = this.#waits.person + this.#waits.run > 0 && this.#working === 0;
    if (isWaiting && !this.#isAway) {
      this.#isAway = true;
      this.#setClock();
      this.#slot.release();
    } else if (!isWaiting && this.#isAway) {
      this.#isAway = false;
      this.#return();
    } else this.#setClock();
  }

  #return(): void {
    const returning = Promise.withResolvers<void>();
    // Not everyone who causes the return waits for it.
    returning.promise.catch(() => {});
    this.#returning = returning;
    void this.#slot.reacquire().then(() => {
      this.#returning = undefined;
      this.#update();
      returning.resolve();
    });
  }

  #setClock(): void {
    if (this.#isAway && this.#waits.run === 0) this.#clock?.pause();
    else this.#clock?.resume();
  }
}
