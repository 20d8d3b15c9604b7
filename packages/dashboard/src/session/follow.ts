import type { ControlOf, EventFileHead, FlockEvent } from "@flock-ts/protocol";
import { absenceTold, absentSince, watchAbsence } from "../absence/detect.ts";
import { placeNow, remember, seenBefore, tellWhatWasMissed } from "../absence/last-seen.ts";
import { readConfig } from "../connection/config.ts";
import type { Feed } from "../connection/feed.ts";
import { openFeed } from "../connection/shared-feed.ts";
import { endsUnknownRun } from "../timeline/baseline.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { arrived, countAnew } from "./backfill.ts";
import { connectTo, graphNow, isCurrentAgain, isUsed, lostSince } from "./connection.ts";
import { nextFrame } from "./next-frame.ts";
import { useSession } from "./store.ts";
import { know, knownTimeline, publish, show, startAnew } from "./view.ts";

/** Between two paints while catching up, in ms: what is long past need not be painted step by step. */
const LEISURELY_MS = 250;

/** Taking in and painting what has come costs more than this, in ms, when it is better done less often. */
const DEAR_MS = 6;

/** Reads the configuration and follows the log; both are tried until they succeed. */
export async function start(): Promise<void> {
  const config = await readConfig((attempt) =>
    useSession.setState(({ connection }) => ({ connection: { ...connection, attempt } })),
  );
  // Whoever has opened a file in the meantime looks at that.
  if (useSession.getState().file !== null) return;
  useSession.setState({ config });
  addEventListener("pagehide", remember);
  watchAbsence();
  const opened = await openFeed(config.websocket);
  if (useSession.getState().file !== null) return;
  connectTo(opened);
  await follow(opened);
}

/** Shows the events of a file instead of what a server tells. */
export function showFile(name: string, opened: Timeline, fileHead: RecordingHead | null): void {
  // What the server goes on to tell is not taken in any more.
  connectTo(undefined);
  know(opened);
  useSession.setState({ file: name, fileHead, complete: true, away: null, notice: null, oldest: opened.first });
  publish();
  show();
}

/** A reader of the log like any other: it asks for more when it has painted what it had, and not while it is hidden. */
async function follow(mine: Feed): Promise<void> {
  let from = 0;
  let isCurrent = false;
  let paintedAt = performance.now();
  let leftAt = seenBefore();
  /** The newest seq when the viewer came back: what was missed goes up to there, and is one batch. */
  let due = 0;
  while (isUsed(mine)) {
    let stretch = await mine.next(from, isCurrent);
    const absent = absentSince();
    await nextFrame();
    if (!isUsed(mine)) return;
    // What was given to a tab that nobody saw is old by now: asked again, all of it is one batch and one paint.
    if (absent !== null) {
      due ||= await headNow();
      stretch = await mine.next(from, isCurrent);
    }
    if (!isUsed(mine)) return;
    const began = performance.now();
    const known = knownTimeline();
    const before = known.last;
    if (stretch.restarts) startAnew();
    takeIn(stretch.entries);
    // In another log nothing is due.
    if (knownTimeline() !== known) due = 0;
    from = stretch.next;
    // What begins to catch up has painted nothing of it yet.
    const hasAll = stretch.isCurrent && knownTimeline().last >= due;
    if (isCurrent && !hasAll) paintedAt = began;
    isCurrent = hasAll;
    if (isCurrent || performance.now() - paintedAt > LEISURELY_MS) {
      publish();
      paintedAt = performance.now();
    }
    const cost = performance.now() - began;
    if (!isCurrent || absent !== null)
      leftAt ??= { ...placeNow(), seq: before, at: absent ?? lostSince() ?? Date.now() };
    if (!isCurrent) continue;
    if (!useSession.getState().complete) {
      await arrived();
      useSession.setState({ complete: true });
      show();
    }
    if (leftAt) tellWhatWasMissed(leftAt);
    leftAt = undefined;
    due = 0;
    isCurrentAgain();
    absenceTold();
    if (document.hidden) await nextFrame();
    // Where one frame's events take long, because much is kept, fewer frames: the viewer needs the rest of the time.
    if (cost > DEAR_MS) await new Promise((resolve) => setTimeout(resolve, cost * 3));
  }
}

/** How long somebody who comes back waits to hear how far the log is, in ms. */
const PATIENCE_MS = 500;

/** How far the log is; 0 when that is not known in time, or some of it is not for this viewer to see. */
async function headNow(): Promise<number> {
  if (useSession.getState().connection.limited) return 0;
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS));
  return (await Promise.race([graphNow(), late]))?.seq ?? 0;
}

function takeIn(entries: readonly (FlockEvent | ControlOf<"gap">)[]): void {
  let events: FlockEvent[] = [];
  const flush = () => {
    if (useSession.getState().complete && endsUnknownRun(knownTimeline().head, events)) void countAnew();
    knownTimeline().append(events);
    events = [];
  };
  for (const entry of entries) {
    if (entry.type !== "gap") {
      events.push(entry);
      continue;
    }
    flush();
    if (entry.reason === "epoch") {
      startAnew();
      useSession.setState({ notice: "The server has started anew: what it showed before is gone." });
    } else {
      knownTimeline().mark({ kind: "gap", at: entry.to_seq, gap: entry });
      // Events that are gone may have declared agents and counted runs.
      void countAnew();
    }
  }
  flush();
}
