import { maySee, OWNER, type Principal } from "@flock-ts/protocol";
import type { DeadLetter, DeadLetterQuery, DeadLetterStore, Write } from "../store.ts";

/** So many are kept: one more, and the oldest is forgotten. Each holds on to its artifacts. */
const MAX_KEPT = 1_000;

/** How many a page has when nobody says so. */
export const DEFAULT_LIMIT = 50;

/** The dead letters of this process. */
export class DeadLettersInMemory implements DeadLetterStore {
  readonly #byId = new Map<string, DeadLetter>();

  /** Keeps or lets go of one, if the write says so. */
  apply(write: Write): void {
    if (write.kind === "activation_done" && write.deadLetter) {
      this.#byId.set(write.id, write.deadLetter);
      if (this.#byId.size > MAX_KEPT) this.#byId.delete(this.#byId.keys().next().value as string);
    } else if (write.kind === "dead_letter_again" || write.kind === "dead_letter_discarded") {
      this.#byId.delete(write.id);
    }
  }

  list(query: DeadLetterQuery = {}, as: Principal = OWNER): readonly DeadLetter[] {
    const { agentId, correlationId, after, limit = DEFAULT_LIMIT } = query;
    return [...this.#byId.values()]
      .filter(
        (one) =>
          (agentId === undefined || one.agentId === agentId) &&
          (correlationId === undefined || one.correlationId === correlationId) &&
          (after === undefined || one.id < after) &&
          maySee(as, one.visibility),
      )
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  get(id: string, as: Principal = OWNER): DeadLetter | undefined {
    const letter = this.#byId.get(id);
    return letter && maySee(as, letter.visibility) ? letter : undefined;
  }
}
