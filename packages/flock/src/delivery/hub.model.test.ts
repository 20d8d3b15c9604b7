import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ControlMessage,
  type EventDraft,
  type Filter,
  type FlockEvent,
  factsOf,
  matches,
  mergedSeqs,
} from "@flock-ts/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StubbornSocket } from "../../../../tests/support/stubborn-socket.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import { systemClock } from "../core/clock.ts";
import { EventLog } from "../log/event-log.ts";
import { textsOf } from "../log/frame.ts";
import { eventWrite } from "../store/event-write.ts";
import { Journal } from "../store/journal.ts";
import { type Retention, sqliteStore } from "../store/sqlite/index.ts";
import type { StoreSession } from "../store/store.ts";
import { Hub, type HubOptions } from "./hub.ts";

/** A text of this many characters gets its own segment of the buffer, and pushes out the one before. */
const PUSHES_OUT = 140_000;
const HOUR = 3_600_000;
/** The pauses of the housekeeping, in ms: see store/sqlite/housekeeping.ts. */
const REST = { idle: 1_000, busy: 25 };

/** Lets one iteration of the event loop pass. */
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The system: a file, the log over it with the smallest buffer, and a hub. `all` is the model. */
class World {
  /** All events ever committed; seq N is at index N - 1. */
  readonly all: FlockEvent[] = [];
  /** The text that each run has streamed. */
  readonly texts = new Map<string, string>();
  readonly viewers: Viewer[] = [];
  readonly #path: string;
  readonly #retention: Retention;
  #artifacts = 0;
  #ended = 0;
  #store!: StoreSession;
  #journal!: Journal;
  log!: EventLog;
  hub!: Hub;
  /** The latest search of the store for the newest events. */
  search: Promise<number> | undefined;

  constructor(path: string, retention: Retention) {
    this.#path = path;
    this.#retention = retention;
  }

  async open(): Promise<this> {
    this.#store = await sqliteStore(this.#path, { retention: this.#retention }).open({ clock: systemClock });
    this.log = new EventLog(this.#store.epoch, 0, this.#store.log);
    const beforeNewest = this.log.beforeNewest.bind(this.log);
    this.log.beforeNewest = (...search) => {
      const found = beforeNewest(...search);
      this.search = found instanceof Promise ? found : undefined;
      return found;
    };
    this.#journal = new Journal(this.#store, (events) => {
      for (const { json } of events) this.all.push(JSON.parse(json));
      this.log.append(events.map(({ write, seq, json }) => ({ seq, json, facts: factsOf(write.event) })));
    });
    this.hub = new Hub({
      log: this.log,
      commands: {} as HubOptions["commands"],
      serverVersion: "0",
      heartbeatInterval: null,
      limits: { commandBurst: 1e9, commandsPerSecond: 1e9, overBudgetSeconds: 60 },
      onFailure: (error) => {
        throw error;
      },
    });
    return this;
  }

  async restart(): Promise<void> {
    const goodbye = this.hub.close("a restart");
    await this.#journal.settled();
    await goodbye;
    await this.#store.close();
    await this.open();
  }

  async close(): Promise<void> {
    for (const { socket } of this.viewers) socket.break();
    await this.#journal.settled();
    await this.hub.close("the end");
    await this.#store.close();
  }

  publish(agent: string, type: string, size: number): Promise<void> {
    const id = `a${++this.#artifacts}`;
    const correlationId = workflowOf(agent);
    const json = JSON.stringify("x".repeat(size));
    const artifact: StoredArtifact = {
      id,
      type,
      payload: null,
      producedBy: agent,
      correlationId,
      tags: [],
      visibility: { kind: "public" },
      createdAt: new Date().toISOString(),
      seq: 0,
    };
    const draft: EventDraft = {
      type: "artifact_published",
      artifact_id: id,
      artifact_type: type,
      produced_by: agent,
      correlation_id: correlationId,
      tags: [],
      visibility: { kind: "public" },
    };
    this.#journal.write(eventWrite(draft, new Date().toISOString(), { artifact, json, inline: true }));
    return this.#journal.committed();
  }

  /** Commits a chunk of the stream of the current run of an agent. */
  stream(agent: string, text: string, isComplete = false): Promise<void> {
    const run = runOf(agent, this.#ended);
    const before = this.texts.get(run) ?? "";
    this.texts.set(run, before + text);
    this.#journal.write(
      eventWrite(
        {
          type: "streaming_output",
          agent_id: agent,
          run_id: run,
          correlation_id: workflowOf(agent),
          content: text,
          is_complete: isComplete,
          offset: before.length,
          output_type: "text",
          ...(agent === "c" ? { artifact_type: "B" } : {}),
        },
        new Date().toISOString(),
      ),
    );
    return this.#journal.committed();
  }

  /** Ends all runs and begins others. */
  async endRuns(): Promise<void> {
    await Promise.all(AGENTS.map((agent) => this.stream(agent, "", true)));
    this.#ended += 1;
  }

  /** Returns what can be read of the log now, up to `until`. */
  async kept(until: number): Promise<FlockEvent[]> {
    // The first read brings the current pages into memory.
    await this.#read(until);
    return await this.#read(until);
  }

  async #read(until: number): Promise<FlockEvent[]> {
    const events: FlockEvent[] = [];
    for (let at = this.log.oldest - 1; at < until; ) {
      // A page may overlap the buffer, but only one of them has merged these chunks. The newest events are the buffer's.
      const stored = this.log.buffer.oldest - 1;
      const batch = await this.log.read(at, at < stored ? Math.min(stored, until) : until, undefined, 1_000_000);
      for (const text of textsOf(batch.frames)) events.push(JSON.parse(text));
      at = batch.seq;
    }
    return events;
  }

  /** Resolves when all clients have received everything. */
  async settle(): Promise<void> {
    await this.#journal.settled();
    for (const { socket } of this.viewers) {
      socket.fast = true;
      socket.take();
    }
    for (let calm = 0, left = 2_000; calm < 3; left--) {
      if (left === 0) throw new Error("the hub never settled");
      vi.advanceTimersByTime(20);
      await tick();
      calm = this.hub.stats().lagging === 0 ? calm + 1 : 0;
    }
  }
}

type Message = FlockEvent | ControlMessage;
type Piece = Extract<FlockEvent, { type: "streaming_output" }>;

/** Where a client asks to begin. */
interface Start {
  readonly since?: number | undefined;
  readonly epoch?: string | undefined;
}

/** What a client receives with one filter, over one or more connections. */
interface Chain {
  readonly filter: Filter;
  /** Everything after this seq is expected. "there": from the cursor of the connection, at most `position`. */
  after: number | "there";
  /** The position of live clients when it began. */
  readonly position: number;
  /** The oldest event when it began: a later gap may contain only events dropped since. */
  readonly oldest: number;
  /** The range of messages on each connection. */
  readonly parts: { readonly socket: StubbornSocket; readonly from: number; to: number }[];
}

/** A client that disconnects and reconnects, and keeps what it has received. */
class Viewer {
  readonly chains: Chain[] = [];
  socket!: StubbornSocket;
  readonly #world: World;
  #filter: Filter;
  #start: Start;
  /** The subscriptions of this connection with `since`, and the index of the reply to each. */
  #restarted: { readonly at: number; readonly start: Start }[] = [];
  #commands = 0;

  static async connect(world: World, filter: Filter, start: Start, fast: boolean): Promise<Viewer> {
    const viewer = new Viewer(world, filter, start);
    await viewer.#connect(start, fast);
    return viewer;
  }

  private constructor(world: World, filter: Filter, start: Start) {
    this.#world = world;
    this.#filter = filter;
    this.#start = start;
  }

  get isConnected(): boolean {
    return this.socket.readyState === 1;
  }

  /** Reconnects at its cursor. */
  async reconnect(fast: boolean): Promise<void> {
    this.socket.break();
    const chain = this.chains.at(-1) as Chain;
    const cursor = this.#cursor();
    // A reply that has not arrived does not count.
    const isKnown = this.socket.received >= (chain.parts.at(-1)?.from ?? 0);
    if (!isKnown) this.chains.pop();
    // A client does not count what its previous filter excluded as received.
    if (isKnown && cursor !== undefined && !(cursor.since < Number(chain.after))) {
      this.#reconnect(cursor, fast);
      chain.parts.push({ socket: this.socket, from: 1, to: Number.POSITIVE_INFINITY });
    } else await this.#connect(cursor ?? this.#start, fast);
    this.#start = cursor ?? this.#start;
  }

  async subscribe(filter: Filter, start: Start): Promise<void> {
    const { log, hub } = this.#world;
    const kept = await this.#keptFor(start);
    const { oldest } = log;
    const isUpToDate = hub.stats().lagging === 0;
    const id = ++this.#commands;
    const { sent } = this.socket;
    this.#world.search = undefined;
    this.socket.say({ id, type: "subscribe", filter, ...start });
    await tick();
    const at = sent.findIndex((message) => message.type === "reply" && message.id === id);
    const reply = sent[at];
    if (reply?.type !== "reply" || !reply.ok) throw new Error(`not answered: ${JSON.stringify(reply)}`);
    const { after, gap } = beginning(start, { kept, filter, oldest, epoch: log.epoch, position: reply.seq });
    (this.chains.at(-1)?.parts.at(-1) as Chain["parts"][number]).to = gap ? at - 1 : at;
    if (gap) expect(sent[at - 1]).toEqual(gap);
    this.#filter = filter;
    if (start.since !== undefined) this.#restarted.push({ at, start });
    const goesOn = start.since === undefined && !isUpToDate;
    this.#begin({
      filter,
      after: goesOn ? "there" : after,
      position: reply.seq,
      oldest: goesOn ? (this.chains.at(-1) as Chain).oldest : oldest,
      parts: [{ socket: this.socket, from: at + 1, to: Number.POSITIVE_INFINITY }],
    });
  }

  /** Returns the received messages of a chain. */
  static received({ parts }: Chain): Message[] {
    return parts.flatMap(({ socket, from, to }) => socket.sent.slice(from, Math.min(to, socket.received)));
  }

  async #connect(start: Start, fast: boolean): Promise<void> {
    const { log } = this.#world;
    const kept = await this.#keptFor(start);
    const { oldest, epoch } = log;
    this.#world.search = undefined;
    const position = this.#reconnect(start, fast);
    const { after, gap } = beginning(start, { kept, filter: this.#filter, oldest, epoch, position });
    if (gap) expect(this.socket.sent[1]).toEqual(gap);
    const from = gap ? 2 : 1;
    this.#begin({
      filter: this.#filter,
      after,
      position,
      oldest,
      parts: [{ socket: this.socket, from, to: Number.POSITIVE_INFINITY }],
    });
  }

  /** Adds a chain. A search of the store that has begun for it ends later: events may be dropped or merged before that. */
  #begin(chain: Chain): void {
    this.chains.push(chain);
    const { log, search } = this.#world;
    const expected = chain.after;
    void search?.then((found) => {
      expect(found, "a search finds as many as there are").toBeLessThanOrEqual(
        Math.max(Number(expected), log.oldest - 1),
      );
      chain.after = found;
    });
  }

  /** Returns the position of live clients. */
  #reconnect({ since, epoch }: Start, fast: boolean): number {
    this.#restarted = [];
    this.socket = StubbornSocket.connect(this.#world.hub, { filter: this.#filter, since, epoch }, fast);
    const [hello] = this.socket.sent;
    if (hello?.type !== "hello") throw new Error("no hello");
    return hello.head;
  }

  async #keptFor({ since }: Start): Promise<FlockEvent[]> {
    return since !== undefined && since < 0 ? await this.#world.kept(this.#world.log.head) : [];
  }

  /** Returns the cursor of the client as docs/client.md defines it; undefined when it has received none. */
  #cursor(): { readonly since: number; readonly epoch: string } | undefined {
    const { received, sent } = this.socket;
    // After a subscription with `since`, the client is where it asked to begin.
    const asked = this.#restarted.findLast(({ at }) => at < received);
    if (asked) this.#start = asked.start;
    let since: number | undefined;
    for (const message of sent.slice(asked?.at ?? 0, received)) {
      if (message.type === "hello" && this.#start.since === undefined) since = message.head;
      else if (message.type === "gap") since = message.to_seq;
      else if (message.type === "caught_up" || isEvent(message)) since = message.seq;
    }
    return since === undefined ? undefined : { since, epoch: this.#world.log.epoch };
  }
}

/** Returns where a connection begins by the wire contract, and the gap it receives first. */
function beginning(
  { since, epoch: wanted }: Start,
  now: { kept: readonly FlockEvent[]; filter: Filter; oldest: number; epoch: string; position: number },
): { after: number; gap?: Message } {
  const dropped = now.oldest - 1;
  if (since === undefined) return { after: now.position };
  if (since < 0) {
    const matching = now.kept.filter((event) => event.seq <= now.position && matches(now.filter, factsOf(event)));
    return { after: matching.length < -since ? dropped : (matching.at(since) as FlockEvent).seq - 1 };
  }
  if ((wanted !== undefined && wanted !== now.epoch) || since === BEYOND) {
    return { after: dropped, gap: { type: "gap", from_seq: 1, to_seq: dropped, reason: "epoch" } };
  }
  if (since >= dropped) return { after: since };
  if (since === 0 && wanted === undefined) return { after: dropped };
  return { after: dropped, gap: { type: "gap", from_seq: since + 1, to_seq: dropped, reason: "expired" } };
}

function isEvent(message: Message): message is FlockEvent {
  return "timestamp" in message && "seq" in message;
}

/** Ranges of the text of one run. */
type Ranges = { readonly from: number; to: number }[];

/**
 * Compares what one chain has received with the log. Everything up to `until` must have arrived. Undefined: the connection
 * broke, or the filter changed, at a seq that only the server knows.
 */
function compare(world: World, chains: readonly Chain[], index: number, until: number | undefined): void {
  const chain = chains[index] as Chain;
  const messages = Viewer.received(chain);
  const after = latestStart(world, chains, index);
  const gaps: { from: number; to: number }[] = [];
  const seen = new Set<number>();
  const texts = new Map<string, Ranges>();
  const complete = new Set<string>();
  const isGone = (seq: number) => gaps.some(({ from, to }) => from <= seq && seq <= to);
  const wanted = (from: number, to: number) =>
    world.all.slice(from, to).filter((event) => matches(chain.filter, factsOf(event)));
  let seq = after;
  for (const message of messages) {
    if (message.type === "gap") {
      expect(message.reason).toBe("expired");
      expect(message.from_seq, "a gap begins after what has been sent").toBeGreaterThan(seq);
      expect(message.to_seq, "a gap reports what was dropped since").toBeGreaterThanOrEqual(chain.oldest);
      expect(message.to_seq, "a gap reports what was dropped").toBeLessThan(world.log.oldest);
      gaps.push({ from: message.from_seq, to: message.to_seq });
      seq = message.to_seq;
    } else if (message.type === "caught_up") {
      for (const event of wanted(after, message.seq)) {
        if (event.type === "streaming_output" || seen.has(event.seq) || isGone(event.seq)) continue;
        throw missing(event, "before it caught up");
      }
    } else if (isEvent(message)) {
      if (message.seq <= seq) throw new Error(`${message.seq} came after ${seq}`);
      if (!matches(chain.filter, factsOf(message))) throw new Error(`the filter excludes ${message.seq}`);
      seq = message.seq;
      seen.add(seq);
      const committed = world.all[seq - 1] as FlockEvent;
      if (message.type !== "streaming_output") {
        if (JSON.stringify(message) !== JSON.stringify(committed)) throw new Error(`${seq} is not what was committed`);
        continue;
      }
      assertIsPartOf(world, message, committed as Piece);
      const ranges = rangesOf(texts, message.run_id);
      const last = ranges.at(-1);
      const end = message.offset + message.content.length;
      if (last && message.offset <= last.to) last.to = Math.max(last.to, end);
      else ranges.push({ from: message.offset, to: end });
      if (message.is_complete) complete.add(message.run_id);
    }
  }
  const holes = new Map<string, Piece>();
  for (const event of wanted(after, until ?? seq)) {
    if (event.type !== "streaming_output") {
      if (!seen.has(event.seq) && !isGone(event.seq)) throw missing(event, "at the end");
      continue;
    }
    if (event.content === "" && !event.is_complete) continue;
    const isThere = covers(rangesOf(texts, event.run_id), event) && (!event.is_complete || complete.has(event.run_id));
    if (!isThere) {
      // A compacted event has the seq of its last chunk. If a gap contains it, all its chunks are gone.
      if (isGone(event.seq)) holes.delete(event.run_id);
      else if (!holes.has(event.run_id)) holes.set(event.run_id, event);
    } else if (holes.has(event.run_id)) throw missing(holes.get(event.run_id) as Piece, `before ${event.seq}`);
  }
  if (until === undefined) return;
  for (const hole of holes.values()) throw missing(hole, "at the end");
}

/**
 * Returns the seq after which a chain begins. If a connection that was behind changed its filter, only the server knows
 * that seq. Then this is the latest possible one: the client had received all matching events up to there, and none after.
 */
function latestStart(world: World, chains: readonly Chain[], index: number): number {
  const chain = chains[index] as Chain;
  const before = chains[index - 1];
  if (chain.after !== "there" || !before) return chain.after as number;
  const reported = Viewer.received(before).flatMap((message) =>
    isEvent(message) ? message.seq : message.type === "gap" ? message.to_seq : [],
  );
  const seen = new Set(reported);
  const reached = Math.max(latestStart(world, chains, index - 1), ...reported);
  const first = Viewer.received(chain).find((message) => isEvent(message) || message.type === "gap");
  const begins = first?.type === "gap" ? first.from_seq : (first as FlockEvent | undefined)?.seq;
  const latest = Math.min(chain.position, (begins ?? Number.POSITIVE_INFINITY) - 1);
  const unseen = world.all
    .slice(reached, latest)
    .find(
      (event) => event.type !== "streaming_output" && matches(before.filter, factsOf(event)) && !seen.has(event.seq),
    );
  return unseen ? unseen.seq - 1 : latest;
}

/** Checks a chunk, or a compacted event: its text, its seq, and the seqs of its chunks. */
function assertIsPartOf({ texts, all }: World, piece: Piece, last: Piece): void {
  const { content, offset, merged: _, ...rest } = piece;
  const { content: lastContent, offset: lastOffset, ...lastRest } = last;
  const isWhole =
    JSON.stringify(rest) === JSON.stringify(lastRest) &&
    offset <= lastOffset &&
    offset + content.length === lastOffset + lastContent.length &&
    texts.get(rest.run_id)?.slice(offset, offset + content.length) === content &&
    mergedSeqs(piece).every((seq) => (all[seq - 1] as Piece).run_id === rest.run_id);
  if (!isWhole) throw new Error(`${rest.seq} is not what its run has streamed`);
}

function rangesOf(texts: Map<string, Ranges>, run: string): Ranges {
  let ranges = texts.get(run);
  if (!ranges) texts.set(run, (ranges = []));
  return ranges;
}

function covers(ranges: Ranges, { offset, content }: Piece): boolean {
  return content === "" || ranges.some(({ from, to }) => from <= offset && offset + content.length <= to);
}

function missing({ seq, type }: FlockEvent, when: string): Error {
  return new Error(`${type} ${seq} was missing ${when}, and no gap reported it`);
}

const AGENTS = ["a", "b", "c"] as const;
const runOf = (agent: string, ended: number) => `run ${ended} of ${agent}`;
const workflowOf = (agent: string) => `workflow of ${agent}`;
/** A seq beyond every log of the test. */
const BEYOND = 1_000_000;

const filters = fc.constantFrom<Filter>(
  {},
  {},
  { agents: ["a"] },
  { agents: ["b", "c"] },
  { types: ["artifact_published"] },
  { types: ["streaming_output"], agents: ["a", "c"] },
  { artifact_types: ["B"] },
  { correlation_id: workflowOf("b") },
  { correlation_id: workflowOf("c"), types: ["streaming_output"] },
  { run_id: runOf("a", 0) },
  { run_id: runOf("b", 1) },
);
const starts = fc.oneof(
  fc.constant<Start>({}),
  fc.record({ since: fc.integer({ min: 0, max: 300 }) }),
  fc.record({ since: fc.integer({ min: 0, max: 300 }), epoch: fc.constant("ours") }),
  fc.record({ since: fc.integer({ min: -60, max: -1 }) }),
  fc.constantFrom<Start>({ since: 5, epoch: "another" }, { since: BEYOND }),
);
const who = fc.nat({ max: 7 });
const fast = fc.boolean();
const agent = fc.constantFrom(...AGENTS);
const size = fc.constantFrom(0, 40, 3_000, PUSHES_OUT);

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("publish" as const), agent, type: fc.constantFrom("A", "B"), size }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("stream" as const),
      pieces: fc.array(fc.record({ agent, text: fc.string({ unit: "binary", maxLength: 12 }) }), { maxLength: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("burst" as const), rows: fc.integer({ min: 40, max: 90 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end runs" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("connect" as const), filter: filters, start: starts, fast }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reconnect" as const), who, fast }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("break" as const, "stall" as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("take" as const), who, bytes: fc.constantFrom(1, 900, 1e6) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("subscribe" as const), who, filter: filters, start: starts }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("ticks" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("tidy" as const), steps: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("an hour passes" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: World, now: Step): Promise<void> {
  const viewer = "who" in now ? world.viewers[now.who] : undefined;
  const startOf = (start: Start) => (start.epoch === "ours" ? { ...start, epoch: world.log.epoch } : start);
  switch (now.do) {
    case "publish":
      return world.publish(now.agent, now.type, now.size);
    case "stream":
      await Promise.all(now.pieces.map(({ agent, text }) => world.stream(agent, text)));
      return;
    case "burst":
      // Each is a separate row in the file: enough rows to be compacted.
      for (let i = 0; i < now.rows; i++) await world.stream(AGENTS[i % 3] as string, `${i} `);
      return;
    case "end runs":
      return world.endRuns();
    case "connect":
      world.viewers.push(await Viewer.connect(world, now.filter, startOf(within(world, now.start)), now.fast));
      return;
    case "reconnect":
      await viewer?.reconnect(now.fast);
      return;
    case "break":
      viewer?.socket.break();
      return;
    case "stall":
      if (viewer) viewer.socket.fast = false;
      return;
    case "take":
      viewer?.socket.take(now.bytes);
      return;
    case "subscribe":
      if (viewer?.isConnected) await viewer.subscribe(now.filter, startOf(within(world, now.start)));
      return;
    case "ticks":
      for (let i = 0; i < now.count; i++) await tick();
      return;
    case "tidy":
      vi.advanceTimersByTime(REST.idle + (now.steps - 1) * REST.busy);
      return;
    case "an hour passes":
      vi.setSystemTime(Date.now() + HOUR);
      return;
    case "restart":
      return world.restart();
  }
}

/** Limits `since` to the head of the log. */
function within(world: World, { since, ...rest }: Start): Start {
  if (since === undefined || since < 0 || since === BEYOND) return { since, ...rest };
  return { since: Math.min(since, world.log.head), ...rest };
}

describe("Hub over a log in a file and a buffer", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flock-model-"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  });

  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });

  it("delivers the same as a list of all events, through retention, compaction, restarts and slow clients", async () => {
    let files = 0;
    const retentions = fc.constantFrom<Retention>({}, { maxAgeMs: HOUR / 2 }, { maxBytes: 350_000 });
    await fc.assert(
      fc.asyncProperty(retentions, fc.array(step, { maxLength: 60, size: "max" }), async (retention, steps) => {
        const world = await new World(join(folder, `${++files}.db`), retention).open();
        try {
          for (const now of steps) await take(world, now);
          for (const [index, viewer] of world.viewers.entries())
            if (!viewer.isConnected && index % 3 > 0) await viewer.reconnect(true);
          await world.settle();
          for (const { chains, isConnected } of world.viewers) {
            for (const index of chains.keys()) {
              const isLast = index === chains.length - 1;
              compare(world, chains, index, isLast && isConnected ? world.log.head : undefined);
            }
          }
        } finally {
          await world.close();
        }
      }),
      { numRuns: 100 },
    );
    // The run takes seconds. The rest is for shrinking a failure.
  }, 120_000);
});
