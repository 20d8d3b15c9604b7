import type { ConnectionState } from "@flock-ts/client";
import type { GraphSnapshot, RecordingHead } from "@flock-ts/protocol";
import type { StoreApi } from "zustand/vanilla";
import { type AbsenceDetector, AWAY_MS } from "../absence/detect.ts";
import { type KeyValueStorage, type LastSeen, readLastSeen, writeLastSeen } from "../absence/last-seen.ts";
import { summarizeMissed } from "../absence/summary.ts";
import { FIRST_EVENTS } from "../connection/direct-feed.ts";
import type { CommandAnswer, CommandName, CommandRequest, Feed } from "../connection/feed.ts";
import type { Chunk } from "../connection/replay-buffer.ts";
import type { RestClient } from "../connection/rest.ts";
import { endsUnknownRun } from "../timeline/baseline.ts";
import type { LogEntry } from "../timeline/log.ts";
import { Timeline } from "../timeline/timeline.ts";
import { backfill } from "./backfill.ts";
import type { Clock } from "./clock.ts";
import type { LogSource } from "./event-pages.ts";
import type { Frames } from "./frames.ts";
import type { SessionView } from "./store.ts";
import { type LogWindow, readWindow } from "./window.ts";

/** The seq in the URL. The session shows it, and corrects it when it is invalid. */
export interface SeqRoute {
  /** The seq to show; null to follow the log. */
  seq(): number | null;
  /** Goes to another seq. */
  setSeq(seq: number | null): void;
  /** Calls `listener` whenever the address changes. */
  subscribe(listener: () => void): void;
}

/** What a session works with. */
export interface SessionDeps {
  readonly store: StoreApi<SessionView>;
  readonly rest: RestClient;
  readonly openFeed: (url: string) => Promise<Feed>;
  readonly route: SeqRoute;
  readonly clock: Clock;
  readonly frames: Frames;
  readonly absence: AbsenceDetector;
  readonly storage: KeyValueStorage;
}

/**
 * The phase of a session:
 *
 * - `loading`: the first events of a log are loading. Leads to `live`.
 * - `live`: the tab has every event. Leads to `catching-up`, or to `loading` when the log is replaced.
 * - `catching-up`: the tab was live, and is behind after a disconnect or an absence. Leads where `live` leads, and to
 * `live`.
 * - `recording`: an event file is open, and the server's log is ignored. Final.
 */
export type Phase = "loading" | "live" | "catching-up" | "recording";

/** The time between two paints while catching up, in ms. Old events need not be painted step by step. */
const CATCH_UP_PAINT_MS = 250;

/** When processing and painting one chunk costs more than this, in ms, chunks are requested less often. */
const COSTLY_MS = 6;

/** How long a returning viewer waits for the server's head, in ms. */
const HEAD_TIMEOUT_MS = 500;

/** The number of disconnects that are kept. */
const BREAKS = 50;

/**
 * The log of one tab, and the part of it that is shown.
 *
 * Owns the timeline, the feed, the position that is shown and the phase. The store is its read model and nothing else
 * writes it. Invariants, each named by a test:
 *
 * 1. `#window` is set only while the shown seq lies before what the timeline has.
 * 2. The view's `complete` is false exactly in the phase `loading`; only `#enter` changes the phase.
 * 3. A timeline that has been replaced is never published.
 */
export class Session {
  readonly #deps: SessionDeps;
  #phase: Phase = "loading";
  #feed: Feed | undefined;
  #timeline = new Timeline();
  #window: LogWindow | undefined;
  /** The window that is being loaded. */
  #seeking: Promise<void> | undefined;
  /** When a live tab was disconnected; undefined while it has every event. */
  #lostAt: number | undefined;

  /** Creates a session that shows nothing. {@link Session.start} connects it. */
  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /** Where the session is. */
  get phase(): Phase {
    return this.#phase;
  }

  /** The newest events and states. */
  get timeline(): Timeline {
    return this.#timeline;
  }

  /** The events and states around the seq that is shown: the newest ones, or a window of older ones. */
  get shownTimeline(): Timeline {
    return this.#window?.timeline ?? this.#timeline;
  }

  /** Whether the events around a seq are loaded. */
  has(seq: number): boolean {
    return this.#window ? this.#window.from <= seq && seq <= this.#window.to : seq >= this.#timeline.from;
  }

  /** Resolves when the seq in the URL is shown, or could not be loaded. */
  async settled(): Promise<void> {
    while (this.#seeking) await this.#seeking;
  }

  /** Keeps what is shown in step with the seq in the URL. */
  followRoute(): void {
    const { route } = this.#deps;
    const follow = () => {
      const at = route.seq();
      if (at === this.#view.at) return;
      this.#set({ at });
      this.#show();
    };
    route.subscribe(follow);
    follow();
  }

  /** Reads the configuration, opens the feed and follows the log. Ends when a recording is opened. */
  async start(): Promise<void> {
    const config = await this.#deps.rest.readConfig((attempt) =>
      this.#set({ connection: { ...this.#view.connection, attempt } }),
    );
    if (this.#isRecording()) return;
    this.#set({ config });
    this.#deps.absence.start();
    const feed = await this.#deps.openFeed(config.websocket);
    if (this.#isRecording()) return;
    this.#feed = feed;
    feed.watch((connection) => this.#onConnection(connection));
    await this.#follow(feed);
  }

  /** Shows an event file instead of the server's log. */
  openRecording(name: string, timeline: Timeline, head: RecordingHead | null): void {
    this.#feed = undefined;
    this.#timeline = timeline;
    this.#enter("recording", { file: name, fileHead: head, away: null, notice: null, oldest: timeline.first });
    this.#publish();
    this.#show();
  }

  /** Sends a command to the server. @throws FlockClientError */
  async call<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>> {
    if (!this.#feed) throw new Error("not connected: an event file is open, or the connection is not established yet");
    return this.#feed.call(name, request);
  }

  /** Attempts to connect now, instead of when the next attempt is due. */
  retryNow(): void {
    this.#feed?.retryNow();
  }

  /** Shows a message to the viewer. */
  notify(notice: string): void {
    this.#set({ notice });
  }

  /** Removes the message. */
  dismissNotice(): void {
    this.#set({ notice: null });
  }

  /** Removes the summary of what was missed. */
  dismissMissed(): void {
    this.#set({ away: null });
  }

  /** Stores how far the viewer has seen the log, for the next visit. */
  rememberPosition(): void {
    if (this.#view.config !== null && !this.#isRecording()) writeLastSeen(this.#deps.storage, this.#position());
  }

  get #view(): SessionView {
    return this.#deps.store.getState();
  }

  #set(change: Partial<SessionView>): void {
    this.#deps.store.setState(change);
  }

  /** The only method that changes the phase. */
  #enter(phase: Phase, change: Partial<SessionView> = {}): void {
    this.#phase = phase;
    const complete = phase !== "loading";
    if (complete !== this.#view.complete || Object.keys(change).length > 0) this.#set({ complete, ...change });
  }

  #isRecording(): boolean {
    return this.#phase === "recording";
  }

  #position(): LastSeen {
    return { epoch: this.#view.connection.epoch, seq: this.#timeline.last, at: this.#deps.clock.now() };
  }

  #onConnection(connection: ConnectionState): void {
    const { offlineSince, breaks, connection: before } = this.#view;
    const now = this.#deps.clock.now();
    const isBreak = connection.status === "waiting" && isUp(before);
    const since = isUp(connection) ? null : (offlineSince ?? now);
    this.#set({
      ...(isBreak ? { breaks: [...breaks, { at: now, reason: connection.reason ?? "closed" }].slice(-BREAKS) } : {}),
      connection,
      offlineSince: since,
    });
    if (since !== null && this.#phase !== "loading") this.#lostAt ??= since;
  }

  /**
   * Reads the feed chunk by chunk. Requests the next chunk after the last is painted, and none while the tab is
   * hidden.
   */
  async #follow(feed: Feed): Promise<void> {
    const { absence, clock, frames, storage } = this.#deps;
    let position = 0;
    let paintedAt = clock.elapsed();
    /** The last seq that the viewer saw before an absence. */
    let missedFrom = readLastSeen(storage);
    /** The server's head when the viewer returned. The missed events up to it are one batch. */
    let returnHead = 0;
    const isUsed = () => this.#feed === feed;
    while (isUsed()) {
      let chunk = await feed.next(position, this.#phase === "live");
      const absentSince = absence.since();
      await frames.next();
      if (!isUsed()) return;
      // A chunk for a hidden tab is outdated. Requested again, all missed events are one batch and one paint.
      if (absentSince !== null) {
        returnHead ||= await this.#serverHead();
        chunk = await feed.next(position, this.#phase === "live");
      }
      if (!isUsed()) return;
      const began = clock.elapsed();
      const seqBefore = this.#timeline.last;
      const wasLive = this.#phase === "live";
      if (chunk.restart !== null) {
        this.#startOver(chunk);
        returnHead = 0;
      }
      this.#append(chunk.entries);
      position = chunk.next;
      const hasAll = chunk.isCurrent && this.#timeline.last >= returnHead;
      // None of the missed events has been painted.
      if (wasLive && !hasAll) {
        if (chunk.restart === null) this.#enter("catching-up");
        paintedAt = began;
      }
      if (hasAll || clock.elapsed() - paintedAt > CATCH_UP_PAINT_MS) {
        this.#publish();
        paintedAt = clock.elapsed();
      }
      const cost = clock.elapsed() - began;
      if (!hasAll || absentSince !== null) {
        missedFrom ??= { ...this.#position(), seq: seqBefore, at: absentSince ?? this.#lostAt ?? clock.now() };
      }
      if (!hasAll) continue;
      if (this.#phase === "loading") {
        await this.#onFirstArrival();
        if (!isUsed()) return;
        this.#enter("live");
        this.#show();
      } else this.#enter("live");
      if (missedFrom) this.#summarizeMissed(missedFrom);
      missedFrom = undefined;
      returnHead = 0;
      this.#lostAt = undefined;
      absence.acknowledge();
      if (frames.isHidden()) await frames.next();
      // Requests fewer chunks when each is expensive, so that the page stays responsive.
      if (cost > COSTLY_MS) await clock.delay(cost * 3);
    }
  }

  /** Discards a log that was replaced, or whose next events were evicted before this tab read them. */
  #startOver({ restart }: Chunk): void {
    this.#timeline = new Timeline();
    this.#window = undefined;
    this.#enter("loading", {
      past: null,
      ...(restart === "new-log"
        ? { notice: "The server has started a new log. The previous log is no longer available." }
        : {}),
    });
  }

  #append(entries: readonly LogEntry[]): void {
    // Missing events may have declared agents and counted runs.
    const isUncounted =
      entries.some(({ type }) => type === "gap") ||
      (this.#phase !== "loading" && endsUnknownRun(this.#timeline.head, entries));
    this.#timeline.append(entries);
    if (isUncounted) void this.#recount();
  }

  /** Takes the server's counters where those of the known events are incomplete. */
  async #recount(): Promise<void> {
    const timeline = this.#timeline;
    const graph = await this.#graph();
    if (!graph || timeline !== this.#timeline) return;
    timeline.mark({ kind: "graph", at: graph.seq, graph });
    this.#publish();
  }

  /** Reads the graph with the server's counters; undefined when that fails. */
  async #graph(): Promise<GraphSnapshot | undefined> {
    return this.#feed?.call("graph", undefined as never).catch(() => undefined);
  }

  /** Returns the server's head; 0 when that takes too long, or some of the log is hidden from this viewer. */
  async #serverHead(): Promise<number> {
    if (this.#view.connection.limited) return 0;
    const late = this.#deps.clock.delay(HEAD_TIMEOUT_MS).then(() => undefined);
    return (await Promise.race([this.#graph(), late]))?.seq ?? 0;
  }

  /** Determines which events the server has before the first ones, and starts to load them. */
  async #onFirstArrival(): Promise<void> {
    const { config } = this.#view;
    if (!config) return;
    const timeline = this.#timeline;
    const page = await this.#deps.rest.readEvents(config, { after: 0, limit: 1 }).catch(() => null);
    if (this.#isRecording()) return;
    if (page) {
      this.#set({ oldest: Math.min(page.oldest, timeline.first) });
      // Fewer events than requested: the server has none before them for this viewer.
      if (timeline.log().length < FIRST_EVENTS) timeline.reaches(page.oldest);
    }
    if (timeline.first <= 1) return;
    const graph = await this.#graph();
    if (this.#isRecording()) return;
    if (graph) timeline.begin(graph);
    this.#publish();
    void this.#loadHistory().catch(() => {});
  }

  async #loadHistory(): Promise<void> {
    const source = this.#source();
    if (!source) return;
    const newer = this.#timeline;
    const loaded = await backfill(newer, {
      source,
      graph: () => this.#graph(),
      isWanted: () => newer === this.#timeline,
    });
    if (!loaded) return;
    if ("reachesFrom" in loaded) {
      newer.reaches(loaded.reachesFrom);
      this.#publish();
      return;
    }
    this.#timeline = loaded.timeline;
    this.#publish();
    this.#show();
  }

  #source(): LogSource | undefined {
    const { config, connection } = this.#view;
    return config ? { rest: this.#deps.rest, config, epoch: connection.epoch } : undefined;
  }

  #summarizeMissed(seen: LastSeen): void {
    if (seen.epoch !== this.#view.connection.epoch || this.#deps.clock.now() - seen.at < AWAY_MS) return;
    const away = summarizeMissed(this.#timeline.log(), seen.seq);
    if (away) this.#set({ away });
  }

  /** Shows the newest events, unless the viewer looks at older ones that do not change. */
  #publish(): void {
    const { at, state, last } = this.#view;
    const timeline = this.#timeline;
    this.#set({ first: timeline.first, last: timeline.last, from: timeline.from, gaps: timeline.gaps });
    const isAffected = at === null || at > last || (at < timeline.first && !this.#isBeforeTimeline(at));
    if (isAffected || state.seq === 0) this.#show();
  }

  /** Shows the seq in the URL, loading its surroundings if necessary. */
  #show(): void {
    const { at, oldest } = this.#view;
    const hasServerLog = this.#hasServerLog();
    // A link may lead to events that retention has dropped.
    if (at !== null && hasServerLog && at < Math.min(oldest, this.#timeline.from)) {
      const [asked, first] = [at, oldest].map((seq) => seq.toLocaleString("en"));
      this.#set({ notice: `Seq ${asked} is no longer retained. Showing the oldest seq, ${first}.` });
      this.#deps.route.setSeq(oldest);
      return;
    }
    if (this.#isBeforeTimeline(at)) {
      if (!this.#window || !this.has(at)) {
        this.#seeking ??= this.#seek(at).finally(() => this.#afterSeek(at));
        return;
      }
    } else this.#window = undefined;
    const seq = at ?? Number.POSITIVE_INFINITY;
    const shown = this.shownTimeline;
    this.#set({ state: shown.at(seq), log: shown.log(seq), past: rangeOf(this.#window) });
  }

  #hasServerLog(): boolean {
    return this.#phase === "live" || this.#phase === "catching-up";
  }

  /** Whether the events around a seq are only on the server. */
  #isBeforeTimeline(at: number | null): at is number {
    const { oldest } = this.#view;
    return at !== null && this.#hasServerLog() && at < this.#timeline.from && oldest < this.#timeline.from;
  }

  /** Loads the log around a seq. Stops when the viewer navigates elsewhere. */
  async #seek(seq: number): Promise<void> {
    const source = this.#source();
    if (!source) return;
    this.#set({ isLoading: true });
    try {
      const { from: until, head } = this.#timeline;
      for await (const window of readWindow(source, seq, { oldest: this.#view.oldest, until, head })) {
        const { at } = this.#view;
        if (!this.#isBeforeTimeline(at) || (at !== seq && (at < window.from || at > window.to))) return;
        if (window.to < seq) continue;
        const isGrowing = this.#window?.timeline === window.timeline;
        this.#window = window;
        if (isGrowing) this.#set({ past: rangeOf(window) });
        else this.#show();
      }
    } catch (error) {
      this.#set({ notice: `Seq ${seq.toLocaleString("en")} cannot be shown: ${(error as Error).message}` });
    } finally {
      this.#set({ isLoading: false });
    }
  }

  /** Continues with the seq that the viewer has navigated to meanwhile. */
  #afterSeek(seq: number): void {
    this.#seeking = undefined;
    const { at, state } = this.#view;
    if (at !== seq && this.#isBeforeTimeline(at) && state.seq !== at) this.#show();
  }
}

function isUp({ status }: ConnectionState): boolean {
  return status === "live" || status === "catching-up";
}

function rangeOf(window: LogWindow | undefined): SessionView["past"] {
  return window ? { from: window.from, to: window.to } : null;
}
