import type { FlockEvent } from "@flock-ts/protocol";
import { factsOf } from "@flock-ts/protocol/matching";
import type { Params } from "../../router/route.ts";
import { Log } from "../../timeline/log.ts";
import { type TypeOf, textMatches } from "./event-line.ts";

/** A filter of events. Every given part must match. */
export interface Wanted {
  readonly types: readonly string[];
  readonly agents: readonly string[];
  readonly correlation: string;
  readonly text: string;
}

/** Parses the filter of a URL. */
export function wantedOf({ types = "", agents = "", workflow = "", q = "" }: Params): Wanted {
  return {
    types: types.split(",").filter(Boolean),
    agents: agents.split(",").filter(Boolean),
    correlation: workflow,
    text: q,
  };
}

/** Whether an event matches. `typeOf` resolves the artifacts that its text refers to. */
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
 * The matching events of a growing log, and of any earlier state of it. Each event is matched once, so that a new
 * event or time travel costs little in a log of a hundred thousand.
 */
export class MatchingEvents {
  readonly #wanted: Wanted;
  readonly #typeOf: TypeOf | undefined;
  #found: readonly FlockEvent[] = [];
  /** The events that were matched. */
  #seen: Log | undefined;

  constructor(wanted: Wanted, typeOf?: TypeOf) {
    this.#wanted = wanted;
    this.#typeOf = typeOf;
  }

  /** Returns the matching events of a log. The result is immutable. */
  in(log: Log): readonly FlockEvent[] {
    const first = log.at(0);
    const last = log.at(log.length - 1);
    if (!first || !last) return [];
    const seen = this.#seen;
    // Not when older events were loaded, or for another log.
    const begins = seen !== undefined && isIn(seen, first);
    if (begins && isIn(seen, last)) return between(this.#found, first.seq, last.seq);
    const newest = seen?.at(-1);
    const continues = begins && newest !== undefined && isIn(log, newest);
    const added = log
      .slice(continues ? log.indexOf(newest.seq) + 1 : 0)
      .filter((event) => isWanted(event, this.#wanted, this.#typeOf));
    const kept = continues ? between(this.#found, first.seq, newest.seq) : [];
    this.#found = kept.length === 0 ? added : kept.concat(added);
    this.#seen = log;
    return this.#found;
  }
}

function isIn(log: Log, event: FlockEvent): boolean {
  return log.at(log.indexOf(event.seq)) === event;
}

/** Returns the events of a seq range; the same list when it has all of them. */
function between(events: readonly FlockEvent[], from: number, to: number): readonly FlockEvent[] {
  const log = new Log(events, events.length);
  const [start, end] = [log.indexOf(from - 1) + 1, log.indexOf(to) + 1];
  return start === 0 && end === events.length ? events : events.slice(start, end);
}
