import { type FlockEvent, formatRecording, graphOf, parseRecording, type RecordingHead } from "@flock-ts/protocol";
import { idleGraph } from "../timeline/baseline.ts";
import type { LogEntry } from "../timeline/log.ts";
import { NameInterner } from "../timeline/name-interner.ts";
import { Timeline } from "../timeline/timeline.ts";

/** The events to save as a file. */
export interface Excerpt {
  /** The first and the last seq. */
  readonly from: number;
  readonly to: number;
  readonly epoch: string | null;
  /** The filter of the events. */
  readonly only?: { readonly isWanted: (event: FlockEvent) => boolean; readonly words: string };
  /** The number of events in the range hidden from the user who saves it; absent when nothing is hidden. */
  readonly hidden?: number;
}

/** Events that are written in one task, so that the page stays responsive. */
const PIECE = 2_000;

/** Iterates over the events of an excerpt that a timeline has now, in chunks of at most `PIECE`. */
export function piecesOf(timeline: Timeline, { from, to, only }: Excerpt): Iterable<readonly FlockEvent[]> {
  const log = timeline.log(to);
  return (function* () {
    for (let index = log.indexOf(from - 1) + 1; index < log.length; index += PIECE) {
      const piece = log.slice(index, index + PIECE);
      yield only ? piece.filter(only.isWanted) : piece;
    }
  })();
}

/** Returns an excerpt as a file: one JSON object per line. The first is the head, the others are events as on the wire. */
export function fileOf(timeline: Timeline, excerpt: Excerpt): string {
  return formatRecording(headOf(timeline, excerpt), [...piecesOf(timeline, excerpt)].flat());
}

/** Returns the head of such a file. */
export function headOf(timeline: Timeline, { from, to, epoch, only, hidden }: Excerpt) {
  const gaps = timeline.gaps
    .filter(({ from_seq, to_seq }) => to_seq >= from && from_seq <= to)
    .map((gap) => ({ ...gap, from_seq: Math.max(from, gap.from_seq), to_seq: Math.min(to, gap.to_seq) }));
  return {
    epoch,
    from_seq: from,
    to_seq: to,
    graph: from < timeline.from ? idleGraph(timeline.head) : graphOf(timeline.at(from - 1)),
    ...(hidden === undefined ? {} : { hidden }),
    ...(gaps.length > 0 ? { gaps } : {}),
    ...(only ? { narrowed: only.words } : {}),
  } satisfies Omit<RecordingHead, "type" | "version">;
}

/** A recording that was opened. */
export interface OpenedFile {
  readonly timeline: Timeline;
  /** Its header; null for a log that was saved by other means. */
  readonly head: RecordingHead | null;
}

/**
 * Parses an event file, with or without a header.
 *
 * @throws Error that names the line that is not an event.
 */
export function opened(text: string): OpenedFile {
  const { head, events } = parseRecording(text);
  const timeline = new Timeline({ kept: Number.POSITIVE_INFINITY, text: Number.POSITIVE_INFINITY });
  const first = (events[0] as FlockEvent).seq;
  if (head && head.graph.nodes.length > 0) timeline.startFrom(head.graph, first - 1);
  const names = new NameInterner();
  for (const event of events) names.intern(event);
  timeline.append(withGaps(events, head?.gaps ?? []));
  if (head) timeline.reaches(head.from_seq);
  return { timeline, head: head ?? null };
}

/** Inserts each gap before the first event that follows it. Both are in order. */
function withGaps(events: readonly FlockEvent[], gaps: NonNullable<RecordingHead["gaps"]>): LogEntry[] {
  const entries: LogEntry[] = [];
  let taken = 0;
  for (const gap of gaps) {
    const next = events.findIndex(({ seq }) => seq > gap.to_seq);
    const until = next < 0 ? events.length : next;
    for (const event of events.slice(taken, until)) entries.push(event);
    entries.push(gap);
    taken = until;
  }
  for (const event of events.slice(taken)) entries.push(event);
  return entries;
}
