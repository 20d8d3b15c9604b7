import type { FlockEvent } from "@flock/protocol";
import { factsOf } from "@flock/protocol/matching";
import type { Log } from "../../live/timeline.ts";
import type { Params } from "../../place/place.ts";
import { type TypeOf, textMatches } from "./event-line.ts";

/** Which events are wanted. Every part that is given must hold. */
export interface Wanted {
  readonly types: readonly string[];
  readonly agents: readonly string[];
  readonly correlation: string;
  readonly text: string;
}

/** What an address asks for. */
export function wantedOf({ types = "", agents = "", workflow = "", q = "" }: Params): Wanted {
  return {
    types: types.split(",").filter(Boolean),
    agents: agents.split(",").filter(Boolean),
    correlation: workflow,
    text: q,
  };
}

/** Whether an event is wanted. `typeOf` names the artifacts that its line tells of. */
export function isWanted(event: FlockEvent, { types, agents, correlation, text }: Wanted, typeOf?: TypeOf): boolean {
  if (types.length > 0 && !types.includes(event.type)) return false;
  if (agents.length > 0 || correlation !== "") {
    const { agent, correlationId } = factsOf(event);
    if (agents.length > 0 && !(agent !== undefined && agents.includes(agent))) return false;
    if (correlation !== "" && correlationId !== correlation) return false;
  }
  return textMatches(event, text, typeOf);
}

/**
 * The wanted events of a log that grows: what has been looked at once is not looked at again, so that a hundred thousand
 * events cost nothing while one more comes.
 */
export class MatchingEvents {
  readonly #wanted: Wanted;
  readonly #typeOf: TypeOf | undefined;
  #found: readonly FlockEvent[] = [];
  /** The oldest and the newest event that have been looked at. */
  #first: FlockEvent | undefined;
  #last: FlockEvent | undefined;

  constructor(wanted: Wanted, typeOf?: TypeOf) {
    this.#wanted = wanted;
    this.#typeOf = typeOf;
  }

  /** Those of a log. What it gives stays as it is. */
  in(log: Log): readonly FlockEvent[] {
    const first = log.at(0);
    const seen = this.#last === undefined ? -1 : log.indexOf(this.#last.seq);
    // Somebody has travelled back, older events have been loaded, or it is another log.
    const goesOn = seen >= 0 && log.at(seen) === this.#last && (first?.seq ?? 0) >= (this.#first?.seq ?? 0);
    const kept = goesOn ? this.#found : [];
    // What is no longer kept there shall not be kept here.
    const gone = kept.findIndex(({ seq }) => seq >= (first?.seq ?? 0));
    const added = log.slice(goesOn ? seen + 1 : 0).filter((event) => isWanted(event, this.#wanted, this.#typeOf));
    if (!goesOn || gone !== 0 || added.length > 0) this.#found = (gone < 0 ? [] : kept.slice(gone)).concat(added);
    this.#first = first;
    this.#last = log.at(log.length - 1);
    return this.#found;
  }
}
