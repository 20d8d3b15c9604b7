import {
  type EventFileHead,
  type FlockEvent,
  type FlockState,
  graphOf,
  LiveState,
  readEventFile,
  writeEventFile,
} from "@flock/protocol";
import { z } from "zod";
import { checkOptions, FlockError } from "../errors.ts";
import type { Flock } from "../flock.ts";
import { readEvents } from "./read-events.ts";

/** Which part of a log to record. */
export interface RecordOptions {
  /** The seq of the first event. Default: the oldest that is kept. */
  readonly from?: number;
  /** The seq of the last event. Default: the newest. */
  readonly to?: number;
}

const optionsSchema = z.strictObject({ from: z.int().min(1).optional(), to: z.int().min(1).optional() });

/** Events that were recorded, in order. Iterate over it to replay them into a reducer or a component. */
export class Recording implements Iterable<FlockEvent> {
  readonly head: EventFileHead;
  readonly events: readonly FlockEvent[];

  /** For {@link record} and {@link readRecording}. */
  constructor(head: EventFileHead, events: readonly FlockEvent[]) {
    this.head = head;
    this.events = events;
  }

  /** The state of a viewer who has seen all of it, or all up to a seq. */
  state(upTo = Number.POSITIVE_INFINITY): FlockState {
    const state = new LiveState();
    for (const event of this.events) if (event.seq <= upTo) state.apply(event);
    return state.current;
  }

  /** As a file: one JSON a line, the first tells which events they are. The dashboard opens such files and saves them. */
  toString(): string {
    const { type: _, version: __, ...head } = this.head;
    return writeEventFile(head, this.events);
  }

  [Symbol.iterator](): Iterator<FlockEvent> {
    return this.events[Symbol.iterator]();
  }
}

/**
 * Records what has happened in a flock so far: `String(recording)` is a file that {@link readRecording} and the
 * dashboard read.
 * @throws FlockError `invalid_options` when there is no event in that range.
 */
export async function record(flock: Flock, options: RecordOptions = {}): Promise<Recording> {
  const { from = 1, to = Number.POSITIVE_INFINITY } = checkOptions("record", optionsSchema, options);
  const before = new LiveState();
  const events: FlockEvent[] = [];
  for (const event of await readEvents(flock.log)) {
    if (event.seq < from) before.apply(event);
    else if (event.seq <= to) events.push(event);
  }
  const [first] = events;
  const last = events.at(-1);
  if (!first || !last) {
    const { oldest, head } = flock.log;
    throw new FlockError("invalid_options", `record: no event is kept in that range: the log has ${oldest} to ${head}`);
  }
  const graph = graphOf(before.current);
  return new Recording(
    { type: "flock_events", version: 1, epoch: flock.log.epoch, from_seq: first.seq, to_seq: last.seq, graph },
    events,
  );
}

/**
 * Reads a recording, or a file of events that the dashboard has saved.
 * @throws Error that names the line that is no event.
 */
export function readRecording(text: string): Recording {
  const { head, events } = readEventFile(text);
  const [from_seq = 0, to_seq = 0] = [events[0]?.seq, events.at(-1)?.seq];
  const graph = { nodes: [], edges: [], seq: from_seq - 1 };
  return new Recording(head ?? { type: "flock_events", version: 1, epoch: null, from_seq, to_seq, graph }, events);
}
