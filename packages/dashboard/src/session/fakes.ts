import type { ConnectionState } from "@flock-ts/client";
import { emptyState, type FlockEvent, type GraphSnapshot, reduceAll } from "@flock-ts/protocol";
import type { StoreApi } from "zustand/vanilla";
import { AbsenceDetector, type Presence } from "../absence/detect.ts";
import type { KeyValueStorage } from "../absence/last-seen.ts";
import type { Feed } from "../connection/feed.ts";
import { ReplayBuffer } from "../connection/replay-buffer.ts";
import type { RestClient } from "../connection/rest.ts";
import type { LogEntry } from "../timeline/log.ts";
import { KEPT_EVENTS } from "../timeline/timeline.ts";
import type { Clock } from "./clock.ts";
import type { Frames } from "./frames.ts";
import { type SeqRoute, Session } from "./session.ts";
import { createSessionStore, type SessionView } from "./store.ts";

// Fakes for session tests, which use neither a server nor a browser.

/** A server with one log, and the connection of a tab to it. */
export class FakeServer implements Feed, RestClient {
  epoch = "one";
  /** The whole log, oldest first. */
  events: FlockEvent[] = [];
  oldest = 1;
  /** The names of the commands it has received. */
  readonly commands: string[] = [];
  /** The seqs after which pages were read. */
  readonly pagesAfter: number[] = [];
  /** Whether the pages of the log can be read. */
  isReadable = true;
  #buffer = new ReplayBuffer(KEPT_EVENTS);
  #state: ConnectionState = {
    status: "connecting",
    attempt: 1,
    retryAt: null,
    epoch: null,
    connectionId: null,
    head: 0,
    limited: false,
    reason: null,
    code: null,
  };
  #watchers: ((state: ConnectionState) => void)[] = [];

  /** Connects the tab, and replays the newest events. */
  connect(replayed = 10_000): void {
    this.setConnection({ status: "catching-up", epoch: this.epoch });
    for (const event of this.events.slice(-replayed)) this.#buffer.add(event);
    this.setConnection({ status: "live" });
  }

  /** Appends entries to the log and delivers them. */
  publish(...entries: LogEntry[]): void {
    for (const entry of entries) {
      if (entry.type !== "gap") this.events.push(entry);
      this.#buffer.add(entry);
    }
  }

  /** Appends events to the log that the tab does not receive. */
  publishUnseen(...events: FlockEvent[]): void {
    this.events.push(...events);
  }

  setConnection(change: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...change };
    this.#buffer.isCaughtUp = this.#state.status === "live";
    for (const watcher of this.#watchers) watcher(this.#state);
  }

  /** Replaces the log by a new one. */
  restart(epoch: string, ...events: FlockEvent[]): void {
    this.epoch = epoch;
    this.events = [];
    this.setConnection({ status: "catching-up", epoch });
    this.publish({ type: "gap", reason: "epoch", from_seq: 1, to_seq: 0 }, ...events);
    this.setConnection({ status: "live" });
  }

  next: Feed["next"] = (from, isCurrent) => this.#buffer.next(from, isCurrent);

  watch: Feed["watch"] = (listener) => {
    this.#watchers.push(listener);
    listener(this.#state);
  };

  call: Feed["call"] = async (name) => {
    this.commands.push(name);
    if (name !== "graph") return undefined as never;
    return this.graph() as never;
  };

  retryNow(): void {
    this.commands.push("retry");
  }

  readConfig: RestClient["readConfig"] = async (onAttempt) => {
    onAttempt(1);
    return { websocket: "/ws", control: "/control", agents: "", artifacts: "" };
  };

  readEvents: RestClient["readEvents"] = async (_config, { after, limit }) => {
    if (!this.isReadable) throw new Error("no answer");
    this.pagesAfter.push(after);
    const events = this.events.filter(({ seq }) => seq > after && seq >= this.oldest).slice(0, Math.min(limit, 1_000));
    const next = events.at(-1)?.seq ?? this.events.at(-1)?.seq ?? after;
    return { events, next, oldest: this.oldest, epoch: this.epoch };
  };

  /** The counters of the server. */
  graph(): GraphSnapshot {
    const { agents, seq } = reduceAll(emptyState(), structuredClone(this.events));
    const nodes = [...agents.values()].map(({ agent_id, consumes, publishes, status, counters }) => {
      return {
        id: agent_id,
        type: "agent" as const,
        label: agent_id,
        consumes: [...consumes],
        publishes: [...publishes],
        status,
        counters,
      };
    });
    return { nodes, edges: [], seq };
  }
}

/** A clock that only advances on request. */
export class FakeClock implements Clock {
  #now = Date.parse("2026-03-14T09:00:00.000Z");
  #waiting: { at: number; resolve: () => void }[] = [];

  now = () => this.#now;
  elapsed = () => this.#now;

  delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ at: this.#now + ms, resolve }));
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.#now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now);
    for (const { resolve } of due) resolve();
  }
}

/** Frames that are painted at once, or on request. */
export class FakeFrames implements Frames {
  /** Whether each frame waits for `paint`. */
  isManual = false;
  #isHidden = false;
  #waiting: (() => void)[] = [];
  #requested: (() => void)[] = [];

  isHidden = () => this.#isHidden;

  next(): Promise<void> {
    if (!this.isManual && !this.#isHidden) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      for (const listener of this.#requested.splice(0)) listener();
    });
  }

  /** Resolves when a frame has been requested. */
  requested(): Promise<void> {
    return this.#waiting.length > 0 ? Promise.resolve() : new Promise((resolve) => this.#requested.push(resolve));
  }

  paint(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    if (!isHidden) this.paint();
  }
}

/** The address of a tab. */
export class FakeRoute implements SeqRoute {
  #seq: number | null = null;
  #listeners: (() => void)[] = [];

  seq = () => this.#seq;

  setSeq(seq: number | null): void {
    this.#seq = seq;
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

/** A session with all its fakes. */
export interface SessionHarness {
  readonly session: Session;
  readonly store: StoreApi<SessionView>;
  readonly server: FakeServer;
  readonly clock: FakeClock;
  readonly frames: FakeFrames;
  readonly route: FakeRoute;
  readonly storage: KeyValueStorage;
  /** Hides the tab, or shows it again. */
  setHidden(isHidden: boolean): void;
  /** Resolves when the view meets a condition. */
  when(condition: (view: SessionView) => boolean): Promise<SessionView>;
}

/** Creates a session that has not started. */
export function sessionHarness(events: readonly FlockEvent[] = []): SessionHarness {
  const server = new FakeServer();
  server.events = [...events];
  const [store, clock, frames, route] = [createSessionStore(), new FakeClock(), new FakeFrames(), new FakeRoute()];
  const stored = new Map<string, string>();
  const storage: KeyValueStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => void stored.set(key, value),
  };
  let onVisibility = () => {};
  const presence: Presence = {
    now: clock.now,
    isHidden: frames.isHidden,
    onVisibility: (listener) => {
      onVisibility = listener;
    },
    every: () => {},
  };
  const session = new Session({
    store,
    rest: server,
    openFeed: async () => server,
    route,
    clock,
    frames,
    absence: new AbsenceDetector(presence),
    storage,
  });
  session.followRoute();
  return {
    session,
    store,
    server,
    clock,
    frames,
    route,
    storage,
    setHidden(isHidden) {
      frames.setHidden(isHidden);
      onVisibility();
    },
    when: (condition) => when(store, condition),
  };
}

function when(store: StoreApi<SessionView>, condition: (view: SessionView) => boolean): Promise<SessionView> {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition(store.getState())) return;
      stop();
      resolve(store.getState());
    };
    const stop = store.subscribe(look);
    look();
  });
}

/** Returns the two events of a run of one agent: it starts, and ends. */
export function runEvents(seq: number, status: "success" | "error" = "success"): FlockEvent[] {
  const ids = { agent_id: "writer", run_id: `run-${seq}`, correlation_id: "c" };
  const at = (offset: number) => ({ seq: seq + offset, timestamp: timeOf(seq + offset) });
  return [
    { ...at(0), ...ids, type: "agent_execution_started", consumed_artifacts: [], attempt: 1 },
    { ...at(1), ...ids, type: "agent_execution_completed", duration_ms: 1, status, produced_artifacts: [] },
  ];
}

/** Returns a log of whole runs, from seq 1 on. */
export function logOf(length: number): FlockEvent[] {
  const events: FlockEvent[] = [
    {
      seq: 1,
      timestamp: timeOf(1),
      type: "agent_registered",
      agent_id: "writer",
      description: "",
      consumes: [],
      publishes: [],
    } as FlockEvent,
  ];
  for (let seq = 2; seq < length; seq += 2) events.push(...runEvents(seq));
  return events.slice(0, length);
}

/** Returns the time of an event: one a second. */
export function timeOf(seq: number): string {
  return new Date(Date.parse("2026-03-14T08:00:00.000Z") + seq * 1_000).toISOString();
}

/** Resolves when all pending tasks have run. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
