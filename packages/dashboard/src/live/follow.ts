import type { ControlOf, EventFileHead, FlockEvent } from "@flock/protocol";
import { absenceTold, absentSince, watchAbsence } from "./absence.ts";
import { readConfig } from "./config.ts";
import { connectTo, isCurrentAgain, isUsed, lostSince } from "./connection.ts";
import type { Feed } from "./feed.ts";
import { nextFrame } from "./frames.ts";
import { arrived, countAnew } from "./history.ts";
import { openFeed } from "./shared-feed.ts";
import { endsUnknownRun } from "./snapshot.ts";
import { useLive } from "./store.ts";
import type { Timeline } from "./timeline.ts";
import { know, knownTimeline, publish, show, startAnew } from "./view.ts";
import { placeNow, remember, seenBefore, tellWhatWasMissed } from "./visits.ts";

/** Between two paints while catching up, in ms: what is long past need not be painted step by step. */
const LEISURELY_MS = 250;

/** Taking in and painting what has come costs more than this, in ms, when it is better done less often. */
const DEAR_MS = 6;

/** Reads the configuration and follows the log; both are tried until they succeed. */
export async function start(): Promise<void> {
  const config = await readConfig((attempt) =>
    useLive.setState(({ connection }) => ({ connection: { ...connection, attempt } })),
  );
  // Whoever has opened a file in the meantime looks at that.
  if (useLive.getState().file !== null) return;
  useLive.setState({ config });
  addEventListener("pagehide", remember);
  watchAbsence();
  const opened = await openFeed(config.websocket);
  if (useLive.getState().file !== null) return;
  connectTo(opened);
  await follow(opened);
}

/** Shows the events of a file instead of what a server tells. */
export function showFile(name: string, opened: Timeline, fileHead: EventFileHead | null): void {
  // What the server goes on to tell is not taken in any more.
  connectTo(undefined);
  know(opened);
  useLive.setState({ file: name, fileHead, complete: true, away: null, notice: null, oldest: opened.first });
  publish();
  show();
}

/** A reader of the log like any other: it asks for more when it has painted what it had, and not while it is hidden. */
async function follow(mine: Feed): Promise<void> {
  let from = 0;
  let isCurrent = false;
  let paintedAt = 0;
  let leftAt = seenBefore();
  while (isUsed(mine)) {
    let stretch = await mine.next(from, isCurrent);
    const absent = absentSince();
    await nextFrame();
    if (!isUsed(mine)) return;
    // What was given to a tab that nobody saw is old by now: asked again, all of it is one batch and one paint.
    if (absent !== null) stretch = await mine.next(from, isCurrent);
    if (!isUsed(mine)) return;
    const began = performance.now();
    const before = knownTimeline().last;
    if (stretch.restarts) startAnew();
    takeIn(stretch.entries);
    from = stretch.next;
    ({ isCurrent } = stretch);
    if (isCurrent || performance.now() - paintedAt > LEISURELY_MS) {
      publish();
      paintedAt = performance.now();
    }
    const cost = performance.now() - began;
    if (!isCurrent || absent !== null)
      leftAt ??= { ...placeNow(), seq: before, at: absent ?? lostSince() ?? Date.now() };
    if (!isCurrent) continue;
    if (!useLive.getState().complete) {
      await arrived();
      useLive.setState({ complete: true });
      show();
    }
    if (leftAt) tellWhatWasMissed(leftAt);
    leftAt = undefined;
    isCurrentAgain();
    absenceTold();
    if (document.hidden) await nextFrame();
    // Where one frame's events take long, because much is kept, fewer frames: the viewer needs the rest of the time.
    if (cost > DEAR_MS) await new Promise((resolve) => setTimeout(resolve, cost * 3));
  }
}

function takeIn(entries: readonly (FlockEvent | ControlOf<"gap">)[]): void {
  let events: FlockEvent[] = [];
  const flush = () => {
    if (useLive.getState().complete && endsUnknownRun(knownTimeline().head, events)) void countAnew();
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
      useLive.setState({ notice: "The server has started anew: what it showed before is gone." });
    } else {
      knownTimeline().mark({ kind: "gap", at: entry.to_seq, gap: entry });
      // Events that are gone may have declared agents and counted runs.
      void countAnew();
    }
  }
  flush();
}
