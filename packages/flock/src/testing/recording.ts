import {
  type Filter,
  type FlockEvent,
  type FlockState,
  factsOf,
  filterSchema,
  formatRecording,
  graphOf,
  LiveState,
  matches,
  parseRecording,
  type RecordingHead,
} from "@flock-ts/protocol";
import { z } from "zod";
import { checkOptions, FlockError } from "../core/errors.ts";
import type { Flock } from "../flock.ts";
import { readEvents } from "./read-events.ts";
import { recordLive } from "./record-live.ts";

/** Which part of a log to record. */
export interface RecordOptions {
  /** The seq of the first event. Default: the oldest that is kept. */
  readonly from?: number;
  /** The seq of the last event. Default: the newest. */
  readonly to?: number;
  /** Only events that pass. Default: all. */
  readonly filter?: Filter;
}

/** Which events of a running server to record, and until when. */
export interface LiveRecordOptions extends RecordOptions {
  /** Ends the recording with the first event, from `from` on, for which it gives true; one that `filter` leaves out counts as well. */
  readonly until?: (event: FlockEvent) => boolean;
  /** Ends the recording when it is aborted. */
  readonly signal?: AbortSignal;
  /** Goes with the handshake, such as what the server's `principal` knows a client by. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

const rangeSchema = z.strictObject({
  from: z.int().min(1).default(1),
  to: z.int().min(1).optional(),
  filter: filterSchema.default({}),
});

const liveSchema = rangeSchema.extend({
  until: z
    .custom<(event: FlockEvent) => boolean>((value) => typeof value === "function", "must be a function")
    .optional(),
  signal: z.instanceof(AbortSignal).optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

/** Events that were recorded, in order. Iterate over it to replay them into a reducer or a component. */
export class Recording implements Iterable<FlockEvent> {
  readonly head: RecordingHead;
  readonly events: readonly FlockEvent[];

  /** For {@link record} and {@link readRecording}. */
  constructor(head: RecordingHead, events: readonly FlockEvent[]) {
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
    return formatRecording(head, this.events);
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
export async function record(flock: Flock, options?: RecordOptions): Promise<Recording>;
/**
 * Records a running server by its address, as `http://localhost:8000`: what has happened there so far; with `to`, `until` or `signal`
 * what happens from now on, too, up to that. It comes back after a break and goes on, and what the server does not show to
 * whoever asks is not in it.
 * @throws FlockError `invalid_options` when nothing wanted has happened; `recording_broken` when nobody answers there, or events are missing.
 */
export async function record(url: string | URL, options?: LiveRecordOptions): Promise<Recording>;
export async function record(what: Flock | string | URL, options: LiveRecordOptions = {}): Promise<Recording> {
  if (typeof what === "string" || what instanceof URL) {
    const { to, until, signal, headers, ...rest } = checkOptions("record", liveSchema, options);
    const { head, events } = await recordLive(what, { ...rest, to, until, signal, headers });
    return new Recording(head, events);
  }
  return recordLog(what, options);
}

async function recordLog(flock: Flock, options: RecordOptions): Promise<Recording> {
  const { from, to = Number.POSITIVE_INFINITY, filter } = checkOptions("record", rangeSchema, options);
  const before = new LiveState();
  const events: FlockEvent[] = [];
  for (const event of await readEvents(flock.log)) {
    if (event.seq < from) before.apply(event);
    else if (event.seq <= to && matches(filter, factsOf(event))) events.push(event);
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
  const { head, events } = parseRecording(text);
  const [from_seq = 0, to_seq = 0] = [events[0]?.seq, events.at(-1)?.seq];
  const graph = { nodes: [], edges: [], seq: from_seq - 1 };
  return new Recording(head ?? { type: "flock_events", version: 1, epoch: null, from_seq, to_seq, graph }, events);
}
