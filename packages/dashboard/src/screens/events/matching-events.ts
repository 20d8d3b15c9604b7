import type { FlockEvent } from "@flock/protocol";
import { factsOf } from "@flock/protocol/matching";
import type { Log } from "../../live/timeline.ts";
import { textMatches } from "./event-line.ts";

/** Which events are wanted. Every part that is given must hold. */
export interface Wanted {
  readonly types: readonly string[];
  readonly agents: readonly string[];
  readonly correlation: string;
  readonly text: string;
}

/** Whether an event is wanted. */
export function isWanted(event: FlockEvent, { types, agents, correlation, text }: Wanted): boolean {
  if (types.length > 0 && !types.includes(event.type)) return false;
  if (agents.length > 0 || correlation !== "") {
    const { agent, correlationId } = factsOf(event);
    if (agents.length > 0 && !(agent !== undefined && agents.includes(agent))) return false;
    if (correlation !== "" && correlationId !== correlation) return false;
  }
  return textMatches(event, text);
}

/** Whether every event is. */
export function wantsAll({ types, agents, correlation, text }: Wanted): boolean {
  return types.length === 0 && agents.length === 0 && correlation === "" && text === "";
}

/**
 * The wanted events of a log that grows: what has been looked at once is not looked at again, so that a hundred thousand
 * events cost nothing while one more comes.
 */
export class MatchingEvents {
  readonly #wanted: Wanted;
  #found: FlockEvent[] = [];
  /** Events of the log that were looked at, those before it that are no longer kept included. */
  #seen = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** Those of a log. What it gives stays as it is. */
  in(log: Log): readonly FlockEvent[] {
    const end = log.dropped + log.length;
    if (end < this.#seen || log.dropped > this.#seen) {
      // Somebody has travelled back, or too far on: begin anew.
      this.#seen = log.dropped;
      this.#found = [];
    }
    const added: FlockEvent[] = [];
    for (const event of log.slice(this.#seen - log.dropped)) if (isWanted(event, this.#wanted)) added.push(event);
    this.#seen = end;
    if (added.length > 0) this.#found = this.#found.concat(added);
    return this.#found;
  }
}
