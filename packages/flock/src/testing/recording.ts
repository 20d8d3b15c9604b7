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

/** Selects a part of a log. */
export interface RecordOptions {
  /** The `seq` of the first event. Default: the oldest retained event. */
  readonly from?: number;
  /** The `seq` of the last event. Default: the newest. */
  readonly to?: number;
  /** Only matching events. Default: all. */
  readonly filter?: Filter;
}

/** Selects events of a running server and the end of the recording. */
export interface LiveRecordOptions extends RecordOptions {
  /**
   * Ends the recording with the first event, from `from` on, for which it returns true, even if `filter` drops that
   * event. Default: none.
   */
  readonly until?: (event: FlockEvent) => boolean;
  /** Ends the recording when aborted. Default: none. */
  readonly signal?: AbortSignal;
  /** Headers of the handshake, such as credentials for the server's `principal`. Default: none. */
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

/** Recorded events in order. Iterate over it to replay them into a reducer or a component. */
export class Recording implements Iterable<FlockEvent> {
  readonly head: RecordingHead;
  readonly events: readonly FlockEvent[];

  /** Used only by {@link record} and {@link readRecording}. */
  constructor(head: RecordingHead, events: readonly FlockEvent[]) {
    this.head = head;
    this.events = events;
  }

  /** Returns a viewer's state after all events, or after those up to a `seq`. */
  state(upTo = Number.POSITIVE_INFINITY): FlockState {
    const state = new LiveState();
    for (const event of this.events) if (event.seq <= upTo) state.apply(event);
    return state.current;
  }

  /** Returns the file form: JSON lines with a header line. The dashboard opens and saves such files. */
  toString(): string {
    const { type: _, version: __, ...head } = this.head;
    return formatRecording(head, this.events);
  }

  [Symbol.iterator](): Iterator<FlockEvent> {
    return this.events[Symbol.iterator]();
  }
}

/**
 * Records the events of a flock so far. `String(recording)` is a file that {@link readRecording} and the dashboard
 * open.
 *
 * @example
 * await writeFile("run.jsonl", String(await record(flock)));
 *
 * @throws FlockError `invalid_options` when the range contains no event.
 */
export async function record(flock: Flock, options?: RecordOptions): Promise<Recording>;
/**
 * Records a running server by its URL, such as `http://localhost:8000`: the events so far, or with `to`, `until` or
 * `signal` also new events up to that point.
 * It reconnects and resumes after a disconnect, and contains only events that the client may see.
 * @throws FlockError `invalid_options` when no event matches.
 * @throws FlockError `recording_broken` when no server responds or events are missing.
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
    throw new FlockError(
      "invalid_options",
      `Failed to record: no events in that range. The log has ${oldest} to ${head}.`,
    );
  }
  const graph = graphOf(before.current);
  return new Recording(
    { type: "flock_events", version: 1, epoch: flock.log.epoch, from_seq: first.seq, to_seq: last.seq, graph },
    events,
  );
}

/**
 * Reads a recording, or an event file that the dashboard saved.
 *
 * @example
 * const recording = readRecording(await readFile("run.jsonl", "utf8"));
 *
 * @throws Error that names the first invalid line.
 */
export function readRecording(text: string): Recording {
  const { head, events } = parseRecording(text);
  const [from_seq = 0, to_seq = 0] = [events[0]?.seq, events.at(-1)?.seq];
  const graph = { nodes: [], edges: [], seq: from_seq - 1 };
  return new Recording(head ?? { type: "flock_events", version: 1, epoch: null, from_seq, to_seq, graph }, events);
}
