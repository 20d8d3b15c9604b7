import type { FlockEvent, FlockState } from "@flock-ts/protocol";
import type { Log } from "./log.ts";
import { Timeline } from "./timeline.ts";

/** Events that are folded in one task, so that the page stays responsive. */
const SLICE = 3_000;

/**
 * Builds a timeline of older events and those of another timeline, in slices between which the page can paint.
 *
 * @param base the state before the older events. Default: empty.
 */
export async function withOlder(
  older: AsyncIterable<readonly FlockEvent[]> | Iterable<readonly FlockEvent[]>,
  newer: Timeline,
  base?: FlockState,
): Promise<Timeline> {
  const joined = new Timeline(base ? { base } : {});
  for await (const events of older) {
    joined.append(events);
    await nextTask();
  }
  // Includes what has arrived meanwhile: the newer timeline goes on growing.
  for (let seq = joined.last; seq < newer.last; ) {
    const log = newer.log();
    const from = log.indexOf(seq) + 1;
    const slice = log.slice(from, from + SLICE);
    if (slice.length === 0) break;
    joined.append(slice);
    seq = joined.last;
    if (log.length - from > SLICE) await nextTask();
  }
  for (const mark of newer.marks) joined.mark(mark);
  return joined;
}

/**
 * Builds a timeline with the same events after another base state, in slices as well.
 *
 * @param newer its newest events are included, as in `withOlder`.
 */
export function begunAt(base: FlockState, timeline: Timeline, newer: Timeline): Promise<Timeline> {
  return withOlder(slicesOf(timeline.log()), newer, base);
}

function* slicesOf(log: Log): Generator<readonly FlockEvent[]> {
  for (let index = 0; index < log.length; index += SLICE) yield log.slice(index, index + SLICE);
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
