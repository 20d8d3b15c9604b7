import { maySee, type Principal } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { DeadLetterQuery, DeadLetterReader } from "../queries.ts";
import type { DeadLetter } from "../work.ts";

/** The most dead letters that are kept; each holds its artifacts. The oldest is dropped first. */
const MAX_KEPT = 1_000;

/** How many dead letters a page holds by default. */
export const DEFAULT_LIMIT = 50;

/** Dead letters in memory. */
export class DeadLettersInMemory implements DeadLetterReader {
  readonly #byId = new Map<string, DeadLetter>();
  readonly #current: (artifact: StoredArtifact) => StoredArtifact;

  /** @param current returns an artifact as it is on the blackboard now: a scheduled publish changes its visibility. */
  constructor(current: (artifact: StoredArtifact) => StoredArtifact) {
    this.#current = current;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  add(letter: DeadLetter): void {
    this.#byId.set(letter.id, letter);
    if (this.#byId.size > MAX_KEPT) this.#byId.delete(this.#byId.keys().next().value as string);
  }

  /** Removes a dead letter, and returns it. */
  delete(id: string): DeadLetter | undefined {
    const letter = this.#byId.get(id);
    this.#byId.delete(id);
    return letter;
  }

  async list(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]> {
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
      .slice(0, limit)
      .map((letter) => this.#withCurrentArtifacts(letter));
  }

  async get(id: string, as: Principal): Promise<DeadLetter | undefined> {
    const letter = this.#byId.get(id);
    return letter && maySee(as, letter.visibility) ? this.#withCurrentArtifacts(letter) : undefined;
  }

  #withCurrentArtifacts(letter: DeadLetter): DeadLetter {
    return { ...letter, artifacts: letter.artifacts.map(this.#current) };
  }
}
