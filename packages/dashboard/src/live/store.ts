import type { ConnectionState } from "@flock/client";
import { type ControlOf, type EventFileHead, emptyState, type FlockEvent, type FlockState } from "@flock/protocol";
import { create } from "zustand";
import { AWAY_MS, absenceTold, absentSince, watchAbsence } from "./absence.ts";
import { type Away, awayFrom } from "./away.ts";
import { type DashboardConfig, eventsUrl, getJson, readConfig } from "./config.ts";
import type { CommandAnswer, CommandName, CommandRequest, Feed } from "./feed.ts";
import { nextFrame } from "./frames.ts";
import { begunAt, readOlder, withOlder } from "./older.ts";
import { FIRST_EVENTS } from "./own-feed.ts";
import { type Past, readPast } from "./past.ts";
import { openFeed } from "./shared-feed.ts";
import { endsUnknownRun } from "./snapshot.ts";
import { KEPT_EVENTS, Log, Timeline } from "./timeline.ts";

/** Everything that the screens show. They read it, and never talk to the server about events. */
export interface Live {
  readonly config: DashboardConfig | null;
  /** The name of the file that is shown instead of a server. */
  readonly file: string | null;
  /** What the file says of itself. */
  readonly fileHead: EventFileHead | null;
  readonly connection: ConnectionState;
  /** Since when there is no connection, as `Date.now()` counts; null while there is one. */
  readonly offlineSince: number | null;
  /** Whether this tab has taken in all that the server had to tell: before that, an empty list says nothing. */
  readonly complete: boolean;
  /** What the screens show: the newest state, or the one at `at`. */
  readonly state: FlockState;
  /** The events that led to `state`, oldest first. */
  readonly log: Log;
  /** The seq that the viewer has travelled to; null while following what happens. */
  readonly at: number | null;
  /** The oldest and the newest seq that this tab can show. */
  readonly first: number;
  readonly last: number;
  /** From this seq on the tab has all that is for this viewer; see `Timeline.from`. */
  readonly from: number;
  /** The oldest seq that the server keeps: what lies between it and `from` is read when the viewer goes there. */
  readonly oldest: number;
  /** The stretch before `from` that the viewer is in; null elsewhere. */
  readonly past: Pick<Past, "from" | "to"> | null;
  /** Whether such a stretch is on its way. */
  readonly isLoading: boolean;
  /** What is missing. */
  readonly gaps: readonly ControlOf<"gap">[];
  /** When the connection broke and why, the newest last. */
  readonly breaks: readonly { readonly at: number; readonly reason: string }[];
  /** What happened while nobody looked. */
  readonly away: Away | null;
  /** What the viewer has to know, in a sentence. */
  readonly notice: string | null;
}

export const useLive = create<Live>(() => ({
  config: null,
  file: null,
  fileHead: null,
  connection: {
    status: "connecting",
    attempt: 0,
    retryAt: null,
    epoch: null,
    connectionId: null,
    head: 0,
    limited: false,
    reason: null,
  },
  offlineSince: null,
  complete: false,
  state: emptyState(),
  log: new Log([], 0),
  at: null,
  first: 1,
  last: 0,
  from: 1,
  oldest: 1,
  past: null,
  isLoading: false,
  gaps: [],
  breaks: [],
  away: null,
  notice: null,
}));

/** Between two paints while catching up, in ms: what is long past need not be painted step by step. */
const LEISURELY_MS = 250;

/** Taking in and painting what has come costs more than this, in ms, when it is better done less often. */
const DEAR_MS = 6;

let timeline = new Timeline();
/** Where the viewer is, while that is before what `timeline` has. */
let past: Past | undefined;
let feed: Feed | undefined;

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
  feed = opened;
  opened.watch(connectionChanged);
  await follow(opened);
}

/** Sends a command to the server. @throws FlockClientError */
export async function command<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>> {
  if (!feed) throw new Error("there is no server here: this is a file, or the connection is still being made");
  return feed.call(name, request);
}

/** Does not wait for the next attempt to connect. */
export function retryNow(): void {
  feed?.retryNow();
}

/** Shows the state at a seq on every screen; null: what happens now. */
export function showAt(at: number | null): void {
  if (at === useLive.getState().at) return;
  useLive.setState({ at });
  show();
}

/** The newest events and states, for whoever asks of other seqs than the one that is shown. */
export function knownTimeline(): Timeline {
  return timeline;
}

/** The events and states around the seq that is shown: the newest ones, or a stretch of long ago. */
export function shownTimeline(): Timeline {
  return past?.timeline ?? timeline;
}

/** Whether the events around a seq are here. */
export function isHere(seq: number): boolean {
  return past ? past.from <= seq && seq <= past.to : seq >= timeline.from;
}

/** Resolves when the seq that was asked for is shown, or cannot be. */
export async function shown(): Promise<void> {
  while (visiting) await visiting;
}

/** Shows the seq that the viewer has gone to. One that lies far back is shown as soon as it is here. */
function show(): void {
  const { at } = useLive.getState();
  if (isLongAgo(at)) {
    if (!past || !isHere(at)) {
      visiting ??= visit(at).finally(() => {
        visiting = undefined;
        const { at: next, state } = useLive.getState();
        if (next !== at && isLongAgo(next) && state.seq !== next) show();
      });
      return;
    }
  } else past = undefined;
  const seq = at ?? Number.POSITIVE_INFINITY;
  const here = shownTimeline();
  useLive.setState({ state: here.at(seq), log: here.log(seq), past: past ? { from: past.from, to: past.to } : null });
}

/** Whether only the server has what was then. */
function isLongAgo(at: number | null): at is number {
  const { complete, file, oldest } = useLive.getState();
  return at !== null && complete && file === null && at < timeline.from && oldest < timeline.from;
}

let visiting: Promise<void> | undefined;

/** Reads the log around a seq, unless the viewer goes elsewhere. */
async function visit(seq: number): Promise<void> {
  const { config, connection, oldest } = useLive.getState();
  if (!config) return;
  useLive.setState({ isLoading: true });
  try {
    const source = { config, epoch: connection.epoch, oldest, until: timeline.from, head: timeline.head };
    for await (const stretch of readPast(seq, source)) {
      const { at } = useLive.getState();
      if (!isLongAgo(at) || (at !== seq && (at < stretch.from || at > stretch.to))) return;
      if (stretch.to < seq) continue;
      const isHere = past?.timeline === stretch.timeline;
      past = stretch;
      if (isHere) useLive.setState({ past: { from: past.from, to: past.to } });
      else show();
    }
  } catch (error) {
    useLive.setState({ notice: `Seq ${seq.toLocaleString("en")} cannot be shown: ${(error as Error).message}` });
  } finally {
    useLive.setState({ isLoading: false });
  }
}

/** Shows the events of a file instead of what a server tells. */
export function showFile(name: string, opened: Timeline, fileHead: EventFileHead | null): void {
  // What the server goes on to tell is not taken in any more.
  feed = undefined;
  past = undefined;
  timeline = opened;
  useLive.setState({ file: name, fileHead, complete: true, away: null, notice: null, oldest: opened.first });
  publish();
}

/** Breaks that are remembered. */
const BREAKS = 50;

function connectionChanged(connection: ConnectionState): void {
  useLive.setState(({ offlineSince, breaks, connection: before }) => ({
    ...(connection.status === "waiting" && (before.status === "live" || before.status === "catching-up")
      ? { breaks: [...breaks, { at: Date.now(), reason: connection.reason ?? "closed" }].slice(-BREAKS) }
      : {}),
    connection,
    offlineSince:
      connection.status === "live" || connection.status === "catching-up" ? null : (offlineSince ?? Date.now()),
  }));
  const { offlineSince, complete } = useLive.getState();
  if (offlineSince !== null && complete) lostAt ??= offlineSince;
}

/** Since when the tab has not been current, because there was no connection; undefined while it is. */
let lostAt: number | undefined;

/** A reader of the log like any other: it asks for more when it has painted what it had, and not while it is hidden. */
async function follow(mine: Feed): Promise<void> {
  let from = 0;
  let isCurrent = false;
  let paintedAt = 0;
  let leftAt = seenBefore();
  while (feed === mine) {
    let stretch = await mine.next(from, isCurrent);
    const absent = absentSince();
    await nextFrame();
    if (feed !== mine) return;
    // What was given to a tab that nobody saw is old by now: asked again, all of it is one batch and one paint.
    if (absent !== null) stretch = await mine.next(from, isCurrent);
    if (feed !== mine) return;
    const began = performance.now();
    const before = timeline.last;
    if (stretch.restarts) {
      startAnew();
    }
    takeIn(stretch.entries);
    from = stretch.next;
    ({ isCurrent } = stretch);
    if (isCurrent || performance.now() - paintedAt > LEISURELY_MS) {
      publish();
      paintedAt = performance.now();
    }
    const cost = performance.now() - began;
    if (!isCurrent || absent !== null) leftAt ??= { ...placeNow(), seq: before, at: absent ?? lostAt ?? Date.now() };
    if (!isCurrent) continue;
    if (!useLive.getState().complete) {
      await arrived();
      useLive.setState({ complete: true });
      show();
    }
    if (leftAt) tellWhatWasMissed(leftAt);
    leftAt = undefined;
    lostAt = undefined;
    absenceTold();
    if (document.hidden) await nextFrame();
    // Where one frame's events take long, because much is kept, fewer frames: the viewer needs the rest of the time.
    if (cost > DEAR_MS) await new Promise((resolve) => setTimeout(resolve, cost * 3));
  }
}

function takeIn(entries: readonly (FlockEvent | ControlOf<"gap">)[]): void {
  let events: FlockEvent[] = [];
  const flush = () => {
    if (useLive.getState().complete && endsUnknownRun(timeline.head, events)) void countAnew();
    timeline.append(events);
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
      timeline.mark({ kind: "gap", at: entry.to_seq, gap: entry });
      // Events that are gone may have declared agents and counted runs.
      void countAnew();
    }
  }
  flush();
}

/** What is known is of another log. */
function startAnew(): void {
  timeline = new Timeline();
  past = undefined;
  useLive.setState({ complete: false, past: null });
}

/** Everything that the server had to tell is here for the first time: what lies before it? */
async function arrived(): Promise<void> {
  const { config } = useLive.getState();
  if (!config) return;
  const page = await getJson<{ oldest: number }>(eventsUrl(config, { after: 0, limit: 1 })).catch(() => null);
  if (page) {
    useLive.setState({ oldest: Math.min(page.oldest, timeline.first) });
    // Fewer than were asked for: before them is nothing for us.
    if (timeline.log().length < FIRST_EVENTS) timeline.reaches(page.oldest);
  }
  if (timeline.first <= 1) return;
  const graph = await feed?.call("graph", undefined as never).catch(() => undefined);
  if (graph) timeline.begin(graph);
  publish();
  void loadHistory().catch(() => {});
}

/** Loads what came before, until the tab has as much as it keeps; the viewer sees what is now all the while. */
async function loadHistory(): Promise<void> {
  const { config, connection, file } = useLive.getState();
  const mine = timeline;
  if (!config || file !== null) return;
  let from = mine.from;
  let found = 0;
  const older = async function* () {
    for await (const piece of readOlder(config, mine.from, KEPT_EVENTS - mine.log().length, connection.epoch)) {
      from = piece.from;
      found += piece.events.length;
      if (mine !== timeline) return;
      yield piece.events;
    }
  };
  let joined = await withOlder(older(), mine);
  if (mine !== timeline) return;
  if (found === 0) {
    mine.reaches(from);
    publish();
    return;
  }
  if (joined.first > 1) {
    const graph = await feed?.call("graph", undefined as never).catch(() => undefined);
    joined.append(mine.log().slice(mine.log().indexOf(joined.last) + 1));
    if (graph) joined = await begunAt(joined.baseFor(graph), joined, mine);
  }
  joined.reaches(from);
  if (mine !== timeline) return;
  timeline = joined;
  publish();
  show();
}

/** Lets the server say what the agents have done in all, where the events that we have cannot. */
async function countAnew(): Promise<void> {
  const mine = timeline;
  const graph = await feed?.call("graph", undefined as never).catch(() => undefined);
  if (!graph || mine !== timeline) return;
  timeline.mark({ kind: "graph", at: graph.seq, graph });
  publish();
}

/** Lets the screens see what has been taken in. */
function publish(): void {
  const { at, state, last } = useLive.getState();
  useLive.setState({ first: timeline.first, last: timeline.last, from: timeline.from, gaps: timeline.gaps });
  // Who looks at the past sees nothing of what comes, unless it belongs there and has only come now.
  if (at === null || at > last || (at < timeline.first && !isLongAgo(at)) || state.seq === 0) show();
}

/** How far a viewer had come, and when. */
interface Left {
  readonly epoch: string | null;
  readonly seq: number;
  /** As `Date.now()` counts. */
  readonly at: number;
}

function placeNow(): Left {
  return { epoch: useLive.getState().connection.epoch, seq: timeline.last, at: Date.now() };
}

const SEEN = "flock-seen";

/** How far a viewer had come in an earlier life of this page. */
function seenBefore(): Left | undefined {
  try {
    return JSON.parse(localStorage.getItem(SEEN) ?? "") as Left;
  } catch {
    return undefined;
  }
}

/** Keeps for the page's next life how far it has come. */
function remember(): void {
  if (useLive.getState().file === null) localStorage.setItem(SEEN, JSON.stringify(placeNow()));
}

function tellWhatWasMissed(left: Left): void {
  if (left.epoch !== useLive.getState().connection.epoch || Date.now() - left.at < AWAY_MS) return;
  const away = awayFrom(timeline.log(), left.seq);
  if (away) useLive.setState({ away });
}
