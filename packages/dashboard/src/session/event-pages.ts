import type { FlockEvent, FlockState } from "@flock-ts/protocol";
import { type DashboardConfig, eventsUrl } from "../connection/config.ts";
import { getJson } from "../connection/rest.ts";
import type { Log } from "../timeline/log.ts";
import { Timeline } from "../timeline/timeline.ts";

/** Events of one page; the server gives no more. */
const PAGE = 1_000;
/** Events that are folded in one go, so that the page stays quick. */
const SLICE = 3_000;

interface Page {
  readonly events: readonly FlockEvent[];
  readonly next: number;
  readonly oldest: number;
  readonly epoch: string;
}

/** Pages that are on their way while another one is taken in. */
const AHEAD = 3;

/** Some of what comes before a seq. */
export interface Older {
  readonly events: readonly FlockEvent[];
  /** From this seq on, up to that one, these and the ones before are all that there is. */
  readonly from: number;
  readonly to: number;
}

/**
 * Reads what comes before a seq from the server, piece by piece, oldest first.
 *
 * @param count how many events at most.
 * @throws Error when the server has another log by now.
 */
export async function* readOlder(
  config: DashboardConfig,
  before: number,
  count: number,
  epoch: string | null,
): AsyncGenerator<Older> {
  const asked: Promise<{ readonly events: FlockEvent[]; readonly oldest: number; readonly end: number }>[] = [];
  let next = Math.max(0, before - 1 - count);
  let from = next + 1;
  const ask = () => {
    while (asked.length < AHEAD && next < before - 1) {
      const end = Math.min(next + PAGE, before - 1);
      const piece = readBetween(config, next, end, epoch);
      // Whoever has gone away does not hear that it has failed.
      piece.catch(() => {});
      asked.push(piece);
      next = end;
    }
  };
  ask();
  for (let piece = asked.shift(); piece; piece = asked.shift()) {
    const { events, oldest, end } = await piece;
    from = Math.min(Math.max(from, oldest), before);
    // Where the server keeps nothing there is nothing to ask for.
    next = Math.max(next, oldest - 1);
    ask();
    yield { events, from, to: end };
  }
}

/** The events after a seq and up to another. */
async function readBetween(config: DashboardConfig, after: number, end: number, epoch: string | null) {
  const events: FlockEvent[] = [];
  let oldest = 0;
  while (after < end) {
    const page = await getJson<Page>(eventsUrl(config, { after, limit: end - after }));
    if (page.epoch !== epoch) throw new Error("the server has another log by now");
    for (const event of page.events) if (event.seq <= end) events.push(event);
    oldest = Math.max(oldest, page.oldest);
    if (page.next <= after) break;
    after = page.next;
  }
  return { events, oldest, end };
}

/**
 * A timeline with older events before those that it has, made in pieces between which the page is painted.
 *
 * @param base what the older ones begin with. Default: nothing.
 */
export async function withOlder(
  older: AsyncIterable<readonly FlockEvent[]> | Iterable<readonly FlockEvent[]>,
  newer: Timeline,
  base?: FlockState,
): Promise<Timeline> {
  const joined = new Timeline(base ? { base } : {});
  for await (const events of older) {
    joined.append(events);
    await pause();
  }
  // What has come in the meantime comes along: the newer one goes on growing.
  for (let seq = joined.last; seq < newer.last; ) {
    const log = newer.log();
    const from = log.indexOf(seq) + 1;
    const slice = log.slice(from, from + SLICE);
    if (slice.length === 0) break;
    joined.append(slice);
    seq = joined.last;
    if (log.length - from > SLICE) await pause();
  }
  for (const mark of newer.marks) joined.mark(mark);
  return joined;
}

/**
 * The same events after a beginning that has become known, made in pieces as well.
 *
 * @param newer whose newest events come along, as in `withOlder`.
 */
export function begunAt(base: FlockState, timeline: Timeline, newer: Timeline): Promise<Timeline> {
  return withOlder(slicesOf(timeline.log()), newer, base);
}

function* slicesOf(log: Log): Generator<readonly FlockEvent[]> {
  for (let index = 0; index < log.length; index += SLICE) yield log.slice(index, index + SLICE);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
