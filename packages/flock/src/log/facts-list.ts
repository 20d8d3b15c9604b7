import type { EventFacts } from "@flock-ts/protocol";

/** What many events have in common. */
type Kind = Pick<EventFacts, "type" | "agent" | "artifactType" | "visibility">;

/** So many kinds are remembered at a time. */
const MAX_KINDS = 10_000;

/** Gives events of the same kind the same object. */
export class Kinds {
  /** Those that everybody may see, by agent. */
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

/** How many places an event takes. */
const PLACES = 3;

/**
 * The facts of many events, in one array. An object for each event would be most of what is kept of it beside its frame, and
 * the garbage collector would have to move it, and to visit it again and again.
 */
export class FactsList {
  readonly #kinds: Kinds;
  readonly #places: (Kind | string | undefined)[] = [];

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
  }

  get length(): number {
    return this.#places.length / PLACES;
  }

  push(facts: EventFacts): void {
    this.#places.push(this.#kinds.of(facts), facts.correlationId, facts.runId);
  }

  /** The facts of the event with this index, which must be there. */
  at(index: number): EventFacts {
    const at = index * PLACES;
    const { type, agent, artifactType, visibility } = this.#places[at] as Kind;
    const correlationId = this.#places[at + 1] as string | undefined;
    const runId = this.#places[at + 2] as string | undefined;
    return { type, agent, artifactType, correlationId, runId, visibility };
  }
}
