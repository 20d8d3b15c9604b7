import type { EventDraft } from "@flock-ts/protocol";
import type { Clock } from "../../core/clock.ts";
import { timestamp } from "../../core/time.ts";
import { eventWrite } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { Write } from "../../store/store.ts";

/** Collaborators of {@link CircuitEvents}. */
export interface CircuitEventsDeps {
  readonly journal: Pick<Journal, "write">;
  readonly clock: Clock;
}

/** Writes the events of circuits. */
export class CircuitEvents {
  readonly #deps: CircuitEventsDeps;
  #collected: Write[] | undefined;

  constructor(deps: CircuitEventsDeps) {
    this.#deps = deps;
  }

  readonly emit = (event: EventDraft): void => {
    const { journal, clock } = this.#deps;
    const write = eventWrite(event, timestamp(clock.now()));
    this.#collected?.push(write);
    journal.write(write);
  };

  /** Returns what circuits write during `work`, so that it can be written again if the commit fails. */
  collect(work: () => void): readonly Write[] {
    const collected: Write[] = [];
    this.#collected = collected;
    work();
    this.#collected = undefined;
    return collected;
  }
}
