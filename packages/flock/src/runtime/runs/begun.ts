import type { CommitGroup, Journal } from "../../store/journal.ts";
import type { Write } from "../../store/store.ts";

/** The writes of a run's start. */
export class Begun {
  readonly #writes: readonly Write[];
  readonly #journal: Pick<Journal, "group" | "write">;
  #group: CommitGroup;

  /** Adds the writes to the commit of this tick. */
  constructor(writes: readonly Write[], journal: Pick<Journal, "group" | "write">) {
    this.#writes = writes;
    this.#journal = journal;
    this.#group = this.#write();
  }

  /** Adds the writes again if their commit has failed, so that nothing else of the run precedes them. */
  ensure(): void {
    if (this.#group.hasFailed) this.#group = this.#write();
  }

  #write(): CommitGroup {
    const { group } = this.#journal;
    for (const write of this.#writes) this.#journal.write(write);
    return group;
  }
}
