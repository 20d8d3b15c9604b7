import type { EventFacts } from "@flock-ts/protocol";

/** The routing metadata that many events share. */
type Kind = Pick<EventFacts, "type" | "agent" | "artifactType" | "visibility">;

/** The most kinds in the cache. */
const MAX_KINDS = 10_000;

/** A cache that returns the same object for events of the same kind. */
export class Kinds {
  /** The kinds of public events, by agent. */
  readonly #byAgent = new Map<string | undefined, Kind[]>();
  #size = 0;

  of({ type, agent, artifactType, visibility }: EventFacts): Kind {
    if (visibility !== undefined) return { type, agent, artifactType, visibility };
    let known = this.#byAgent.get(agent);
    if (known) for (const kind of known) if (kind.type === type && kind.artifactType === artifactType) return kind;
    if (this.#size === MAX_KINDS) {
      this.#byAgent.clear();
      this.#size = 0;
      known = undefined;
    }
    const kind = { type, agent, artifactType, visibility };
    if (known) known.push(kind);
    else this.#byAgent.set(agent, [kind]);
    this.#size += 1;
    return kind;
  }
}

/** How many array slots an event takes. */
const SLOTS = 3;

/**
 * The routing metadata of many events, in one array. With an object per event, the objects would take most of the memory
 * besides the frames, and the garbage collector would move and visit them again and again.
 */
export class FactsList {
  readonly #kinds: Kinds;
  readonly #slots: (Kind | string | undefined)[] = [];

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
  }

  get length(): number {
    return this.#slots.length / SLOTS;
  }

  push(facts: EventFacts): void {
    this.#slots.push(this.#kinds.of(facts), facts.correlationId, facts.runId);
  }

  /** Returns the metadata of the event with this index, which must exist. */
  at(index: number): EventFacts {
    const at = index * SLOTS;
    const { type, agent, artifactType, visibility } = this.#slots[at] as Kind;
    const correlationId = this.#slots[at + 1] as string | undefined;
    const runId = this.#slots[at + 2] as string | undefined;
    return { type, agent, artifactType, correlationId, runId, visibility };
  }
}
