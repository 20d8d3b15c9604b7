import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { constants, inflateRawSync } from "node:zlib";
import { type ControlMessage, type EventFacts, type Filter, matches, OWNER } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { EventLog } from "../log/event-log.ts";
import { type FakeClock, fakeClock } from "../testing/fake-clock.ts";
import { Hub, type HubOptions } from "./hub.ts";

/** A socket that accepts data on command, and a WebSocket over it: a network, one step at a time. */
class FakeClient extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  closeCode: number | undefined;
  destroyed = false;
  writableLength = 0;
  /** Whether the socket accepts everything at once. */
  fast = true;
  #received: Buffer[] = [];
  #waiting: { chunk: Buffer; done: ((error?: Error) => void) | undefined }[] = [];

  write(chunk: Buffer, done?: (error?: Error) => void): boolean {
    this.#waiting.push({ chunk, done });
    this.writableLength += chunk.length;
    if (this.fast) this.drain();
    return this.writableLength === 0;
  }

  /** All bytes that the socket has accepted. */
  get received(): Buffer {
    this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] as Buffer;
  }

  /** Accepts everything that waits. */
  drain(): void {
    for (const { chunk, done } of this.#waiting.splice(0)) {
      this.#received.push(chunk);
      this.writableLength -= chunk.length;
      // Like Node: never before `write` has returned.
      if (done) queueMicrotask(done);
    }
  }

  close(code: number): void {
    this.closeCode = code;
    this.readyState = 2;
    setImmediate(() => this.emit("close"));
  }

  terminate(): void {
    this.emit("close");
  }

  /** The format that it reads: see `messages`. */
  readonly encoding: (typeof ENCODINGS)[number];
  paused = false;

  constructor(encoding: (typeof ENCODINGS)[number] = "plain") {
    super();
    this.encoding = encoding;
  }

  get extensions(): string {
    return this.encoding === "deflated" ? "permessage-deflate" : "";
  }

  /** For a socket without a WebSocket. */
  get writable(): boolean {
    return this.readyState === this.OPEN;
  }

  end(): void {
    this.close(1000);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** Sends a command to the server. */
  say(message: unknown): void {
    this.emit("message", Buffer.from(JSON.stringify(message)), false);
  }

  /** All messages received. */
  get messages(): ({ type: string; seq?: number } & Record<string, unknown>)[] {
    const texts = this.encoding === "event-stream" ? dataOf(this.received) : framesOf(this.received);
    return texts.map((text) => JSON.parse(text));
  }

  /** The seqs of all events received. */
  get seqs(): number[] {
    return this.messages.filter(({ type }) => type === "streaming_output").map(({ seq }) => seq as number);
  }

  ofType<T extends ControlMessage["type"]>(type: T): Extract<ControlMessage, { type: T }>[] {
    return this.messages.filter((message) => message.type === type) as never;
  }
}

/** The formats that clients read. */
const ENCODINGS = ["plain", "deflated", "event-stream"] as const;

/** Decodes WebSocket frames by RFC 6455 and RFC 7692, independently of the implementation. */
function framesOf(received: Buffer): string[] {
  const texts: string[] = [];
  let window = Buffer.alloc(0);
  for (let at = 0; at < received.length; ) {
    const short = (received[at + 1] as number) & 127;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126 ? short : short === 126 ? received.readUInt16BE(at + 2) : Number(received.readBigUInt64BE(at + 2));
    let payload = received.subarray(at + head, at + head + length);
    if (((received[at] as number) & 0x40) !== 0) {
      const dictionary = window.length > 0 ? { dictionary: window } : {};
      payload = inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 255, 255])]), {
        windowBits: 12,
        finishFlush: constants.Z_SYNC_FLUSH,
        ...dictionary,
      });
      window = Buffer.concat([window, payload]).subarray(-4096);
    }
    texts.push(payload.toString());
    at += head + length;
  }
  return texts;
}

/** Decodes Server-Sent Events. Each id must be the cursor after its message. Only `hello` may lack one or have it. */
function dataOf(received: Buffer): string[] {
  const texts: string[] = [];
  for (const block of received.toString().split("\n\n")) {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined) continue;
    const { type, head, seq } = JSON.parse(data) as { type: string; head?: number; seq?: number };
    const id = /^id: (.*)$/m.exec(block)?.[1];
    if (type === "hello") expect([undefined, `one:${head}`]).toContain(id);
    else expect(id).toBe(seq === undefined ? undefined : `one:${seq}`);
    texts.push(data);
  }
  return texts;
}

class World {
  readonly clock: FakeClock = fakeClock();
  readonly log: EventLog;
  readonly hub: Hub;
  readonly facts: EventFacts[] = [];

  constructor({
    logBufferBytes = 64 * 1024 * 1024,
    ...options
  }: { logBufferBytes?: number } & Partial<HubOptions> = {}) {
    this.log = new EventLog("one", logBufferBytes);
    this.hub = new Hub({
      log: this.log,
      commands: {} as HubOptions["commands"],
      serverVersion: "0",
      heartbeatInterval: null,
      clock: this.clock,
      onFailure: (error) => {
        throw error;
      },
      ...options,
    });
  }

  append(agents: readonly string[], padding: number | string = 0): void {
    this.log.append(
      agents.map((agent, index) => {
        const seq = this.log.head + index + 1;
        const facts = {
          type: "streaming_output",
          agent,
          artifactType: undefined,
          correlationId: `work of ${agent}`,
          runId: `run of ${agent}`,
        } as const;
        this.facts.push(facts);
        const text = typeof padding === "number" ? "x".repeat(padding) : padding;
        return { seq, json: JSON.stringify({ type: "streaming_output", seq, text }), facts };
      }),
    );
  }

  connect(
    start: { since?: number; epoch?: string; filter?: Filter } = {},
    fast = true,
    encoding: (typeof ENCODINGS)[number] = "plain",
  ): FakeClient {
    const client = new FakeClient(encoding);
    client.fast = fast;
    const { filter = {}, since, epoch } = start;
    const query = { since, epoch, filter };
    if (encoding === "event-stream") this.hub.connectEventStream(client as unknown as Socket, query, OWNER);
    else this.hub.connect(client as unknown as WebSocket, client as unknown as Socket, query, OWNER);
    return client;
  }

  /** Returns the seqs after `cursor` that match the filter. */
  expected(cursor: number, filter: Filter): number[] {
    return this.facts.flatMap((facts, index) => (index + 1 > cursor && matches(filter, facts) ? [index + 1] : []));
  }

  /** Resolves when the hub has delivered everything. */
  async settle(): Promise<void> {
    this.hub.flush();
    await until(() => this.hub.stats().lagging === 0 && this.hub.position === this.log.head);
  }
}

/** Lets one iteration of the event loop pass. */
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets iterations of the event loop pass until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let left = 10_000; !condition(); left--) {
    if (left === 0) throw new Error("the condition never held");
    await tick();
  }
}

const filterOf = fc.constantFrom<Filter>(
  {},
  { agents: ["a"] },
  { agents: ["a", "b"] },
  { run_id: "run of b" },
  { correlation_id: "work of c" },
  { correlation_id: "work of a", types: ["streaming_output"] },
  { types: ["graph_updated"] },
);

describe("Hub", () => {
  it("delivers each matching event once and in order, to slow and late clients too", async () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("append" as const),
          agents: fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 8 }),
          padding: fc.constantFrom(0, 40, 70_000),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("connect" as const),
          filter: filterOf,
          since: fc.option(fc.nat(20), { nil: undefined }),
          fast: fc.boolean(),
          encoding: fc.constantFrom(...ENCODINGS),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constantFrom("drain" as const, "stall" as const, "leave" as const),
          who: fc.nat(7),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("tick" as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        const clients: { client: FakeClient; from: number; filter: Filter; present: boolean }[] = [];
        for (const now of steps) {
          if (now.do === "append") world.append(now.agents, now.padding);
          else if (now.do === "connect") {
            const since = now.since === undefined ? undefined : Math.min(now.since, world.log.head);
            const start = { filter: now.filter, ...(since === undefined ? {} : { since }) };
            const client = world.connect(start, now.fast, now.encoding);
            clients.push({ client, from: since ?? world.hub.position, filter: now.filter, present: true });
          } else if (now.do === "tick") await tick();
          else {
            const who = clients[now.who];
            if (!who) continue;
            if (now.do === "drain") who.client.drain();
            else if (now.do === "stall") who.client.fast = false;
            else if (who.present) {
              who.present = false;
              who.client.readyState = 3;
              who.client.emit("close");
            }
          }
        }
        for (const { client } of clients) {
          client.fast = true;
          client.drain();
        }
        await world.settle();
        for (const { client, from, filter, present } of clients) {
          const expected = world.expected(from, filter);
          expect(client.seqs).toEqual(present ? expected : expected.slice(0, client.seqs.length));
        }
        expect(world.hub.connectionCount).toBe(clients.filter(({ present }) => present).length);
      }),
      { numRuns: 300 },
    );
  });

  it("sends compressed batches that a client can decode after it joins a cohort", async () => {
    const world = new World();
    const text = Array.from({ length: 20 }, () => crypto.randomUUID()).join();
    const clients: FakeClient[] = [];
    for (let i = 0; i < 3; i++) {
      // The text repeats what earlier clients have received, and the new one has not.
      clients.push(world.connect({}, true, "deflated"));
      await world.settle();
      world.append(["a"], text);
      world.append(["b"], text);
      await world.settle();
    }
    expect(clients.map(({ seqs }) => seqs)).toEqual([0, 2, 4].map((from) => world.expected(from, {})));
    expect(clients[0]?.received.length).toBeLessThan(3 * text.length);
  });

  it("holds one chunk for a client that does not read, regardless of its lag", async () => {
    const world = new World();
    const stalled = world.connect({}, false);
    await tick();
    for (let i = 0; i < 100; i++) {
      world.append(
        Array.from({ length: 10 }, () => "a"),
        10_000,
      );
      world.hub.flush();
    }
    expect(stalled.writableLength).toBeLessThan(1024 * 1024);
    expect(world.hub.stats()).toMatchObject({ connections: 1, lagging: 1 });
    expect(world.hub.stats().maxLag).toBeGreaterThan(900);
    stalled.fast = true;
    stalled.drain();
    await world.settle();
    expect(stalled.seqs).toEqual(world.expected(0, {}));
    expect(world.hub.stats()).toMatchObject({ lagging: 0, maxLag: 0 });
  });

  it("reports a gap to a client that the buffer has overtaken, and continues", async () => {
    const world = new World({ logBufferBytes: 600_000 });
    const stalled = world.connect({}, false);
    await tick();
    for (let i = 0; i < 200; i++) {
      world.append(["a"], 10_000);
      world.hub.flush();
    }
    stalled.fast = true;
    stalled.drain();
    await world.settle();
    const [gap, ...more] = stalled.ofType("gap");
    expect(more).toEqual([]);
    expect(gap).toMatchObject({ reason: "expired", to_seq: world.log.oldest - 1 });
    expect(stalled.seqs).toEqual([
      ...world.expected(0, {}).filter((seq) => seq < (gap?.from_seq ?? 0)),
      ...world.expected(gap?.to_seq ?? 0, {}),
    ]);
  });

  it("reports a gap to all clients when one burst exceeds the buffer", async () => {
    const world = new World({ logBufferBytes: 600_000 });
    const client = world.connect();
    await tick();
    world.append(
      Array.from({ length: 200 }, () => "a"),
      10_000,
    );
    await world.settle();
    expect(client.ofType("gap")).toEqual([
      { type: "gap", from_seq: 1, to_seq: world.log.oldest - 1, reason: "expired" },
    ]);
    expect(client.seqs).toEqual(world.expected(world.log.oldest - 1, {}));
  });
});

describe("the start of a subscription", () => {
  const start = async (options: Parameters<World["connect"]>[0], logBufferBytes?: number) => {
    const world = new World(logBufferBytes === undefined ? {} : { logBufferBytes });
    world.append(["a", "b", "a", "b", "a"], 10);
    world.hub.flush();
    const client = world.connect(options);
    await world.settle();
    world.append(["a"]);
    await world.settle();
    return client;
  };

  it("is the current position without `since`", async () => {
    const client = await start({});
    expect(client.messages.map(({ type }) => type)).toEqual(["hello", "streaming_output"]);
    expect(client.ofType("hello")[0]).toMatchObject({ epoch: "one", head: 5, oldest: 1, heartbeat_interval: null });
  });

  it("is after the given seq, and `caught_up` follows the replay", async () => {
    const client = await start({ since: 3, epoch: "one" });
    expect(client.messages.map(({ type, seq }) => [type, seq])).toEqual([
      ["hello", undefined],
      ["streaming_output", 4],
      ["streaming_output", 5],
      ["caught_up", 5],
      ["streaming_output", 6],
    ]);
  });

  it("is the oldest event for `since=0`", async () => {
    expect((await start({ since: 0 })).seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("is before the newest N matching events for `since=-N`", async () => {
    expect((await start({ since: -2, filter: { agents: ["a"] } })).seqs).toEqual([3, 5, 6]);
  });

  it("is the oldest event, after a gap, when the seq belongs to another log", async () => {
    for (const from of [
      { since: 3, epoch: "another" },
      { since: 0, epoch: "another" },
      { since: 999, epoch: "one" },
    ]) {
      const client = await start(from);
      expect(client.ofType("gap")).toEqual([{ type: "gap", from_seq: 1, to_seq: 0, reason: "epoch" }]);
      expect(client.seqs).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  it("is the oldest event, after a gap, when the seq is no longer kept", async () => {
    const world = new World({ logBufferBytes: 10 });
    for (let i = 0; i < 5; i++) world.append(["a"], 150_000);
    const since = (epoch?: string) => world.connect({ since: 0, ...(epoch ? { epoch } : {}) });
    const [whatThereIs, wasHereFromTheStart] = [since(), since("one")];
    await world.settle();
    expect(whatThereIs.ofType("gap")).toEqual([]);
    expect(wasHereFromTheStart.ofType("gap")).toEqual([
      { type: "gap", from_seq: 1, to_seq: world.log.oldest - 1, reason: "expired" },
    ]);
  });

  it("changes with `subscribe`: at the current cursor, or at `since`", async () => {
    const world = new World();
    const client = world.connect({ filter: { agents: ["a"] } });
    world.append(["a", "b"]);
    await world.settle();
    client.say({ id: 1, type: "subscribe", filter: { agents: ["b"] } });
    await tick();
    world.append(["a", "b"]);
    await world.settle();
    client.say({ id: 2, type: "subscribe", filter: {}, since: 0 });
    await tick();
    await world.settle();
    expect(client.seqs).toEqual([1, 4, 1, 2, 3, 4]);
    expect(client.ofType("reply")).toEqual([
      { type: "reply", id: 1, ok: true, seq: 2, result: { head: 2 } },
      { type: "reply", id: 2, ok: true, seq: 4, result: { head: 4 } },
    ]);
    expect(client.ofType("caught_up")).toEqual([{ type: "caught_up", seq: 4 }]);
  });
});

describe("a search for the newest events in the store", () => {
  /** Three thousand events in a store, none in memory. */
  const stored = (): HubOptions["log"] => {
    const jsonOf = (seq: number) => JSON.stringify({ type: "streaming_output", seq, agent_id: seq === 10 ? "a" : "b" });
    const read = async (first: number, until: number) => {
      const last = Math.min(until, 3_000);
      return { first, last, lines: Array.from({ length: last - first + 1 }, (_, i) => jsonOf(first + i)).join("\n") };
    };
    return new EventLog("one", 0, { head: 3_000, oldest: 1, read, leftMemory: () => {} });
  };

  it("sends nothing until it has found them, then the events and `caught_up`", async () => {
    const world = new World({ log: stored() });
    const client = world.connect({ since: -1, filter: { agents: ["a"] } });
    expect(client.messages.map(({ type }) => type)).toEqual(["hello"]);
    await until(() => client.ofType("caught_up").length === 1);
    expect(client.seqs).toEqual([10]);
  });

  it("is dropped when another subscription begins elsewhere", async () => {
    const world = new World({ log: stored() });
    const client = world.connect({ since: -1, filter: { agents: ["a"] } });
    client.say({ id: 1, type: "subscribe", filter: {}, since: 2_998 });
    await until(() => client.ofType("caught_up").length === 1);
    for (let more = 0; more < 20; more++) await tick();
    expect(client.seqs).toEqual([2_999, 3_000]);
  });
});

describe("a new filter", () => {
  it("applies to events that are committed and not yet sent", async () => {
    const world = new World();
    const client = world.connect({ filter: { agents: ["a"] } });
    await tick();
    // The command is executed before the hub sends these events.
    client.say({ id: 1, type: "subscribe", filter: {} });
    world.append(["a", "b"]);
    await tick();
    await world.settle();
    expect(client.seqs).toEqual([1, 2]);
  });
});

describe("a long replay", () => {
  it("is sent in chunks, and live clients are served between them", async () => {
    const world = new World();
    world.append(
      Array.from({ length: 3_000 }, () => "a"),
      1_000,
    );
    world.hub.flush();
    const live = world.connect();
    await tick();
    const replaying = world.connect({ since: 0 });
    world.append(["a"]);
    await tick();
    await tick();
    expect(live.seqs).toEqual([3_001]);
    expect(replaying.seqs.length).toBeLessThan(3_001);
    await world.settle();
    expect(replaying.seqs).toEqual(world.expected(0, {}));
  });
});

describe("a client that does not read its replies", () => {
  it("is not read until it has taken them", async () => {
    const graph = () => ({ seq: 0, text: "x".repeat(60_000) });
    const world = new World({ commands: { graph } as unknown as HubOptions["commands"] });
    const client = world.connect({}, false);
    await tick();
    // In one iteration: first too many commands are in progress, then too many bytes of replies wait.
    for (let i = 0; i < 100; i++) client.say({ id: i, type: "graph" });
    expect(client.paused).toBe(true);
    await until(() => client.writableLength > 1024 * 1024);
    for (let more = 0; more < 20; more++) await tick();
    expect(client.paused).toBe(true);
    expect(client.writableLength).toBeLessThan(6 * 1024 * 1024);
    client.fast = true;
    client.drain();
    await until(() => client.ofType("reply").length === 100);
    await tick();
    expect(client.paused).toBe(false);
  });
});

describe("a client that sends too many commands", () => {
  const counting = () => {
    const published: unknown[] = [];
    const commands = {
      publish: async ({ payload }: { payload: unknown }) => {
        published.push(payload);
        return { seq: 0, result: {} };
      },
    } as unknown as HubOptions["commands"];
    return { published, commands };
  };
  const idea = (n: number) => ({ id: n, type: "publish", artifact_type: "Idea", payload: n });
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

  it("does not delay the commands of others", async () => {
    const world = new World();
    const [flood, other] = [world.connect(), world.connect()];
    await tick();
    for (let i = 0; i < 20_000; i++) flood.say({ id: i, type: "ping" });
    other.say({ id: "other", type: "ping" });
    await until(() => other.ofType("reply").length === 1);
    expect(flood.ofType("reply").length).toBeLessThan(1_000);
    expect(flood.paused).toBe(true);
    flood.emit("close");
    expect(world.hub.connectionCount).toBe(1);
  });

  it("has all of them executed and answered, in order and at its rate", async () => {
    const { published, commands } = counting();
    const limits = { commandBurst: 100, commandsPerSecond: 50_000, overBudgetSeconds: 60 };
    const world = new World({ commands, limits });
    const client = world.connect();
    for (const n of numbers(10_000)) client.say(idea(n));
    for (let seconds = 0; seconds < 10; seconds++) await world.clock.advance(1_000);
    expect(published).toEqual(numbers(10_000));
    expect(client.ofType("reply").map(({ id }) => id)).toEqual(numbers(10_000));
    await until(() => !client.paused);
    expect(client.closeCode).toBeUndefined();
  });

  it("is closed with 4429 if it exceeds its rate for too long", async () => {
    const limits = { commandBurst: 1, commandsPerSecond: 20, overBudgetSeconds: 0.1 };
    const world = new World({ limits });
    const client = world.connect();
    for (const id of numbers(100)) client.say({ id, type: "ping" });
    await world.clock.advance(1_000);
    expect(client.closeCode).toBe(4429);
    expect(client.ofType("reply").length).toBeLessThan(10);
  });

  it("pays for WebSocket pings too", async () => {
    const world = new World({ limits: { commandBurst: 100, commandsPerSecond: 50, overBudgetSeconds: 60 } });
    const client = world.connect();
    for (let i = 0; i < 99; i++) client.emit("ping");
    expect(client.paused).toBe(false);
    client.emit("ping");
    expect(client.paused).toBe(true);
  });

  it("does not delay the replays of others, and is throttled for its own", async () => {
    // A thousand commands are ten replays.
    const world = new World({ limits: { commandBurst: 1_000, commandsPerSecond: 1, overBudgetSeconds: 60 } });
    world.append(Array(3_000).fill("a"), 1_000);
    world.hub.flush();
    const again = world.connect({ since: 0 });
    const once = world.connect({ since: 0 });
    let asked = 0;
    await until(() => {
      again.say({ id: asked++, type: "subscribe", filter: {}, since: 0 });
      return once.ofType("caught_up").length === 1;
    });
    expect(once.seqs).toEqual(world.expected(0, {}));
    while (!again.paused) {
      again.say({ id: asked++, type: "subscribe", filter: {}, since: 0 });
      await tick();
    }
    expect(again.ofType("reply").length).toBeLessThan(12);
    again.emit("close");
  });

  it("has its last commands executed after it disconnects", async () => {
    const { published, commands } = counting();
    const world = new World({ commands, limits: { commandBurst: 1, commandsPerSecond: 1, overBudgetSeconds: 60 } });
    const client = world.connect();
    for (const n of numbers(500)) client.say(idea(n));
    client.readyState = 3;
    client.emit("close");
    await until(() => published.length === 500);
    expect(published).toEqual(numbers(500));
  });

  it("does not miss its heartbeat while the server throttles it", async () => {
    const limits = { commandBurst: 1, commandsPerSecond: 0.01, overBudgetSeconds: 60 };
    const world = new World({ heartbeatInterval: 20, limits });
    const [waiting, silent] = [world.connect(), world.connect()];
    for (const id of numbers(4)) waiting.say({ id, type: "ping" });
    await world.clock.advance(39_000);
    expect(silent.closeCode).toBeUndefined();
    await world.clock.advance(1_000);
    expect(silent.closeCode).toBe(4408);
    await until(() => world.hub.connectionCount === 1);
    expect(waiting.paused).toBe(true);
    expect(waiting.closeCode).toBeUndefined();
    waiting.emit("close");
  });
});

describe("a client that is silent", () => {
  it("is closed at the next heartbeat, and later while it may still read", async () => {
    const world = new World({ heartbeatInterval: 20 });
    const idle = world.connect({ filter: { agents: ["b"] } });
    const busy = world.connect();
    await tick();
    await world.clock.advance(20_000);
    world.append(["a"], 60_000);
    await world.settle();
    await world.clock.advance(20_000);
    expect([idle.closeCode, busy.closeCode]).toEqual([4408, undefined]);
    // 60,000 bytes at the slowest pace take 15 s more than an interval.
    await world.clock.advance(19_000);
    expect(busy.closeCode).toBeUndefined();
    await world.clock.advance(1_000);
    expect(busy.closeCode).toBe(4408);
  });

  it("is not closed while it answers, after any amount of data", async () => {
    const world = new World({ heartbeatInterval: 20 });
    const client = world.connect();
    for (let i = 0; i < 10; i++) {
      world.append(["a"], 50_000);
      await world.settle();
      await world.clock.advance(19_000);
      client.emit("pong");
      await world.clock.advance(1_000);
    }
    expect(client.closeCode).toBeUndefined();
    client.emit("close");
  });
});

describe("an event stream", () => {
  it("receives a comment every 15 seconds without heartbeats", async () => {
    const world = new World();
    const client = world.connect({}, true, "event-stream");
    const comments = () =>
      client.received
        .toString()
        .split("\n\n")
        .filter((block) => block === ":").length;
    await world.clock.advance(14_999);
    expect(comments()).toBe(0);
    await world.clock.advance(30_001);
    expect(comments()).toBe(3);
    client.emit("close");
    await world.clock.advance(15_000);
    expect(world.clock.pending).toEqual([]);
  });
});

describe("Hub.close", () => {
  it("sends pending events and a `goodbye` with a random retry time, and closes", async () => {
    const world = new World();
    const clients = Array.from({ length: 20 }, () => world.connect());
    await tick();
    world.append(["a"]);
    await world.hub.close("maintenance");
    const waits = clients.map((client) => {
      expect(client.seqs).toEqual([1]);
      expect(client.closeCode).toBe(1001);
      expect(client.messages.at(-1)).toMatchObject({ type: "goodbye", reason: "maintenance" });
      return client.ofType("goodbye")[0]?.retry_after_ms as number;
    });
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(new Set(waits).size).toBeGreaterThan(5);
    expect(world.hub.connectionCount).toBe(0);
  });
});
