import type { FlockEvent } from "@flock-ts/protocol";
import { factsOf } from "@flock-ts/protocol/matching";
import type { Params } from "../../router/route.ts";
import { Log } from "../../timeline/log.ts";
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
 * The wanted events of a log that grows, and of any earlier moment of it: what has been looked at once is not looked at
 * again, so that a hundred thousand events cost nothing while one more comes, or while somebody travels through them.
 */
export class MatchingEvents {
  readonly #wanted: Wanted;
  readonly #typeOf: TypeOf | undefined;
  #found: readonly FlockEvent[] = [];
  /** What has been looked at. */
  #seen: Log | undefined;

  constructor(wanted: Wanted, typeOf?: TypeOf) {
    this.#wanted = wanted;
    this.#typeOf = typeOf;
  }

  /** Those of a log. What it gives stays as it is. */
  in(log: Log): readonly FlockEvent[] {
    const first = log.at(0);
    const last = log.at(log.length - 1);
    if (!first || !last) return [];
    const seen = this.#seen;
    // Not where older events have been loaded, or in another log.
    const begins = seen !== undefined && isIn(seen, first);
    if (begins && isIn(seen, last)) return between(this.#found, first.seq, last.seq);
    const newest = seen?.at(-1);
    const goesOn = begins && newest !== undefined && isIn(log, newest);
    const added = log
      .slice(goesOn ? log.indexOf(newest.seq) + 1 : 0)
      .filter((event) => isWanted(event, this.#wanted, this.#typeOf));
    const kept = goesOn ? between(this.#found, first.seq, newest.seq) : [];
    this.#found = kept.length === 0 ? added : kept.concat(added);
    this.#seen = log;
    return this.#found;
  }
}

function isIn(log: Log, event: FlockEvent): boolean {
  return log.at(log.indexOf(event.seq)) === event;
}

/** The events from one seq to another; the same list when these are all. */
function between(events: readonly FlockEvent[], from: number, to: number): readonly FlockEvent[] {
  const log = new Log(events, events.length);
  const [start, end] = [log.indexOf(from - 1) + 1, log.indexOf(to) + 1];
  return start === 0 && end === events.length ? events : events.slice(start, end);
}
