import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { factsOf, matcherOf } from "@flock-ts/protocol";
import fc from "fast-check";
import { artifact, Flock, OWNER, type ServeOptions } from "flock-ts";
import { WebSocketServerComponent, type WebSocketServerConfig } from "flock-ts/components/server";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket as NodeWebSocket, type WebSocket as ServerSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { clientBytes } from "../size.ts";
import {
  type Address,
  type ConnectOptions,
  connect,
  type Filter,
  type FlockClient,
  FlockClientError,
  type FlockEvent,
} from "./index.ts";

const ending: (() => void)[] = [];
afterEach(() => {
  for (const end of ending.splice(0)) end();
});

/** A server that follows a script of one function per connection. The last function serves all later ones. */
async function scripted(...script: ((socket: ServerSocket, query: URLSearchParams) => void)[]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  ending.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const queries: URLSearchParams[] = [];
  server.on("connection", (socket, request) => {
    const query = new URL(request.url ?? "", "http://x").searchParams;
    queries.push(query);
    script[Math.min(queries.length, script.length) - 1]?.(socket, query);
  });
  const { port } = server.address() as { port: number };
  /** Resolves once the server has accepted `count` connections. */
  const accepts = (count: number) =>
    until(
      (check) => {
        server.on("connection", check);
        return () => server.off("connection", check);
      },
      () => queries.length >= count,
    );
  return { url: `ws://127.0.0.1:${port}/plugin/ws`, queries, server, accepts };
}

const open = (url: Address, options: ConnectOptions = {}) => {
  const client = connect(url, { backoff: { minMs: 1, maxMs: 5 }, ...options });
  ending.push(() => client.close());
  return client;
};
const send = (socket: ServerSocket, message: object) => socket.send(JSON.stringify(message));
const hello = (socket: ServerSocket, { epoch = "one", head = 0, heartbeat_interval = null as number | null } = {}) =>
  send(socket, { type: "hello", protocol: 1, server_version: "0", epoch, head, oldest: 1, heartbeat_interval });
const piece = (seq: number) => ({ type: "streaming_output", seq, run_id: "r", agent_id: "a", content: `${seq}` });
/** Resolves once `condition` holds. Checks it now, and whenever `subscribe` reports a change. */
const until = (subscribe: (check: () => void) => () => void, condition: () => boolean) =>
  new Promise<void>((resolve) => {
    const check = () => {
      if (!condition()) return;
      stop();
      resolve();
    };
    const stop = subscribe(check);
    check();
  });
const reaches = (client: FlockClient, status: FlockClient["state"]["status"]) =>
  until(client.subscribe, () => client.state.status === status);

describe("delivery: each event once and in order, or a gap", () => {
  it("holds through disconnects, repeated events and server restarts", async () => {
    // One connection sends and repeats some events and then disconnects. Sometimes the server starts a new log before.
    const connection = fc.record({ events: fc.nat(6), repeated: fc.nat(3), newLog: fc.boolean(), early: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(connection, { minLength: 1, maxLength: 6 }), async (plan) => {
        let epoch = 0;
        let head = 0;
        let done = false;
        const sent: string[] = [];
        const script = plan.map(
          ({ events, repeated, newLog, early }, index) =>
            (socket: ServerSocket, query: URLSearchParams) => {
              if (newLog && index > 0) {
                epoch += 1;
                head = 0;
              }
              hello(socket, { epoch: `log ${epoch}`, head });
              if (early) {
                socket.terminate();
                return;
              }
              const since = Number(query.get("since") ?? head);
              const sameLog = query.get("epoch") === null || query.get("epoch") === `log ${epoch}`;
              if (!sameLog) send(socket, { type: "gap", from_seq: 1, to_seq: 0, reason: "epoch" });
              const from = sameLog ? since : 0;
              for (let seq = Math.max(1, from - repeated + 1); seq <= head; seq++) send(socket, piece(seq));
              send(socket, { type: "caught_up", seq: head });
              for (let i = 0; i < events; i++) {
                head += 1;
                sent.push(`${epoch}:${head}`);
                send(socket, piece(head));
              }
              socket.close(1001);
            },
        );
        const server = await scripted(...script, (socket, query) => {
          hello(socket, { epoch: `log ${epoch}`, head });
          if (query.get("epoch") !== null && query.get("epoch") !== `log ${epoch}`) {
            send(socket, { type: "gap", from_seq: 1, to_seq: 0, reason: "epoch" });
            for (let seq = 1; seq <= head; seq++) send(socket, piece(seq));
          } else for (let seq = Number(query.get("since")) + 1; seq <= head; seq++) send(socket, piece(seq));
          send(socket, { type: "caught_up", seq: head });
          done = true;
        });
        const client = open(server.url, { since: 0 });
        const seen: string[] = [];
        let inLog: string | null = null;
        client.on("gap", () => (inLog = client.state.epoch));
        client.on("event", ({ seq }) => seen.push(`${(inLog ?? client.state.epoch)?.slice(4)}:${seq}`));
        await until(client.subscribe, () => done && client.state.status === "live");
        expect(new Set(seen).size).toBe(seen.length);
        // Events of an earlier log can be lost with a connection that broke at once. A gap announced them.
        const current = (key: string) => key.startsWith(`${epoch}:`);
        expect(seen.filter(current)).toEqual(sent.filter(current));
        expect(seen.every((key) => sent.includes(key))).toBe(true);
        client.close();
        server.server.close();
      }),
      { numRuns: 40 },
    );
  });

  it("starts at the head, and resumes from there even before the first event", async () => {
    const server = await scripted(
      (socket) => {
        hello(socket, { head: 7 });
        socket.close(1001);
      },
      (socket) => hello(socket, { head: 9 }),
    );
    const client = open(server.url, { filter: { types: ["streaming_output", "graph_updated"], run_id: "r" } });
    await reaches(client, "catching-up");
    expect(Object.fromEntries(server.queries[0] ?? [])).toEqual({
      types: "streaming_output,graph_updated",
      run_id: "r",
    });
    expect(Object.fromEntries(server.queries[1] ?? [])).toMatchObject({ since: "7", epoch: "one" });
  });

  it("requests the newest N again until the first event arrives", async () => {
    const server = await scripted(
      (socket) => {
        hello(socket);
        socket.terminate();
      },
      (socket) => hello(socket),
    );
    open(server.url, { since: -50 });
    await server.accepts(2);
    expect(server.queries[1]?.get("since")).toBe("-50");
  });

  it("reports the missing range", async () => {
    const server = await scripted((socket) => {
      hello(socket, { head: 100 });
      send(socket, { type: "gap", from_seq: 4, to_seq: 90, reason: "expired" });
      send(socket, piece(91));
    });
    const client = open(server.url, { since: 3, epoch: "one" });
    const received: unknown[] = [];
    client.on("gap", ({ from_seq, to_seq }) => received.push([from_seq, to_seq]));
    client.on("streaming_output", ({ seq }) => received.push(seq));
    await new Promise((resolve) => client.on("event", resolve));
    expect(received).toEqual([[4, 90], 91]);
    expect(client.seq).toBe(91);
  });
});

describe("reconnecting", () => {
  it("waits as long as the server requests in the close notice", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      send(socket, { type: "goodbye", reason: "maintenance", retry_after_ms: 60_000 });
      socket.close(1001);
    });
    const client = open(server.url);
    await reaches(client, "waiting");
    expect(client.state).toMatchObject({ reason: expect.stringMatching(/maintenance/), attempt: 1 });
    expect((client.state.retryAt ?? 0) - Date.now()).toBeGreaterThan(50_000);
    client.retryNow();
    await server.accepts(2);
  });

  it("keeps trying while there is no server", async () => {
    const server = await scripted();
    server.server.close();
    const client = open(server.url);
    const attempts = new Set<number>();
    client.subscribe(() => attempts.add(client.state.attempt));
    await until(client.subscribe, () => attempts.size >= 4);
    expect(client.state.status === "waiting" || client.state.status === "connecting").toBe(true);
  });

  it("replaces a connection on which the server has gone silent", async () => {
    const server = await scripted(
      (socket) => hello(socket, { heartbeat_interval: 0.02 }),
      (socket) => hello(socket),
    );
    open(server.url);
    await server.accepts(2);
  });

  it("replaces a connection on which the server never says hello", async () => {
    const server = await scripted(
      () => {},
      (socket) => hello(socket),
    );
    const client = open(server.url, { connectTimeoutMs: 50 });
    await reaches(client, "live");
    expect(server.queries).toHaveLength(2);
  });

  it("replaces a connection whose handshake is never answered", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const sockets: Socket[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    ending.push(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const client = open(`ws://127.0.0.1:${(silent.address() as { port: number }).port}`, { connectTimeoutMs: 50 });
    await until(client.subscribe, () => client.state.attempt === 3);
    expect(client.state.reason).toMatch(/no `hello` within 50 ms/);
  });

  it("does not follow a close() in a listener of the state", async () => {
    for (const status of ["connecting", "live", "waiting"] as const) {
      const server = await scripted((socket) => {
        hello(socket);
        socket.close(1001);
      });
      const client = open(server.url);
      client.subscribe(() => client.state.status === status && client.close());
      await reaches(client, "closed");
      const accepted = server.queries.length;
      client.retryNow();
      expect(client.state.status).toBe("closed");
      await expect(client.ping()).rejects.toMatchObject({ code: "closed" });
      expect(server.queries).toHaveLength(accepted);
    }
  });

  it("stops after a close code that forbids a retry", async () => {
    const server = await scripted((socket) => socket.close(4403, "not allowed"));
    const client = open(server.url);
    await reaches(client, "closed");
    expect(client.state.reason).toBe("not allowed");
    await expect(client.ping()).rejects.toMatchObject({ code: "closed" });
  });
});

describe("commands", () => {
  const answering =
    (answer: (message: { id: number; type: string } & Record<string, unknown>) => object | undefined) =>
    (socket: ServerSocket) => {
      hello(socket);
      socket.on("message", (data) => {
        const message = JSON.parse(String(data));
        const reply = answer(message);
        if (reply) send(socket, { type: "reply", id: message.id, seq: 5, ...reply });
      });
    };

  it("wait for the connection and resolve to the result", async () => {
    const server = await scripted(answering(({ type }) => ({ ok: true, result: { echo: type } })));
    const client = open(server.url);
    expect(await client.publish({ artifact_type: "A", payload: {} })).toEqual({ echo: "publish", seq: 5 });
    expect(await client.graph()).toEqual({ echo: "graph", seq: 5 });
  });

  it("reject with the server's error", async () => {
    const issues = [{ path: ["a"], message: "no" }];
    const server = await scripted(
      answering(() => ({ ok: false, error: { code: "invalid_payload", message: "a: no", issues } })),
    );
    const failure = await open(server.url)
      .cancel({ run_id: "r" })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FlockClientError);
    expect(failure).toMatchObject({ code: "invalid_payload", message: "a: no", issues });
  });

  it("time out", async () => {
    const server = await scripted(answering(() => undefined));
    await expect(open(server.url, { commandTimeoutMs: 20 }).ping()).rejects.toMatchObject({ code: "timeout" });
  });

  it("repeat a publish with the same key after a disconnect, but not an invoke", async () => {
    const keys: unknown[] = [];
    const server = await scripted(
      (socket) => {
        hello(socket);
        let commands = 0;
        socket.on("message", (data) => {
          const { type, idempotency_key } = JSON.parse(String(data));
          if (type === "publish") keys.push(idempotency_key);
          if (++commands === 2) socket.terminate();
        });
      },
      answering(({ idempotency_key }) => {
        keys.push(idempotency_key);
        return { ok: true, result: {} };
      }),
    );
    const client = open(server.url);
    const invoked = client.invoke({ agent_id: "a", inputs: [] });
    const published = client.publish({ artifact_type: "A", payload: {} });
    await expect(invoked).rejects.toMatchObject({ code: "connection_lost" });
    await published;
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).toEqual(expect.any(String));
  });

  it("carry a key of the client unless the application has one, and nothing in a request replaces the command", async () => {
    const commands: Record<string, unknown>[] = [];
    const server = await scripted(
      answering((message) => {
        commands.push(message);
        return { ok: true, result: {} };
      }),
    );
    const client = open(server.url);
    const request = { artifact_type: "A", payload: {} };
    const unset = { ...request, idempotency_key: undefined as never };
    await client.publish(unset);
    await client.answer("q", { payload: {}, idempotency_key: undefined as never });
    await client.publish({ ...request, idempotency_key: "mine" });
    await client.publish({ ...request, type: "cancel", id: 99 } as never);
    const random = expect.stringMatching(/^[0-9a-z]{10,}$/);
    expect(commands.map(({ type, idempotency_key }) => [type, idempotency_key])).toEqual([
      ["publish", random],
      ["answer", random],
      ["publish", "mine"],
      ["publish", random],
    ]);
    expect(new Set(commands.map(({ idempotency_key }) => idempotency_key)).size).toBe(4);
    expect(commands.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it("reject instead of throwing when they are malformed, and do not hold up others", async () => {
    const server = await scripted(answering(() => ({ ok: true, result: {} })));
    const client = open(server.url);
    const malformed = Promise.allSettled([
      client.publish(null as never),
      client.publish({ artifact_type: "A", payload: 1n }),
      client.setFilter({ agents: [1n as never] }),
    ]);
    await client.ping();
    const results = await malformed;
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  it("that are too big for a server that names no limit reject, and the client reconnects", async () => {
    const server = await scripted(
      (socket) => {
        hello(socket);
        socket.on("message", (data) => String(data).length > 500 && socket.close(1009));
      },
      answering(() => ({ ok: true, result: {} })),
    );
    const client = open(server.url);
    const big = client.publish({ artifact_type: "A", payload: "x".repeat(1_000) });
    const small = client.publish({ artifact_type: "A", payload: "x" });
    await expect(big).rejects.toMatchObject({ code: "message_too_big" });
    await small;
    await expect(client.publish({ artifact_type: "A", payload: "x".repeat(2 ** 20) })).rejects.toMatchObject({
      code: "message_too_big",
      message: expect.stringContaining("the limit is 1048576 bytes"),
    });
    expect(server.queries).toHaveLength(2);
  });
});

describe("a mistake in a call", () => {
  it.for(["", "localhost:8000/plugin/ws", "ftp://host/ws", "http://", "/plugin/ws", undefined, null, {}])(
    "gets a sentence where it was made: connect(%j)",
    (url) => {
      expect(() => connect(url as string)).toThrow(
        new TypeError(
          `Cannot connect: \`${url}\` is no address of a server. Use one such as \`http://localhost:8000/plugin/ws\`.`,
        ),
      );
    },
  );

  it.for([
    [{ filter: { agent: "chef" } }, "Invalid filter: it has no `agent`. Use types, agents,"],
    [{ silenceMs: 0 }, "Invalid option: `silenceMs` is 0."],
    [{ connectTimeoutMs: Number.NaN }, "Invalid option: `connectTimeoutMs` is NaN."],
    [{ commandTimeoutMs: -1 }, "Invalid option: `commandTimeoutMs` is -1."],
    [{ backoff: { maxMs: Number.NaN } }, "Invalid option: `maxMs` is NaN."],
  ] as const)("gets a sentence where it was made: connect(url, %o)", ([options, message]) => {
    expect(() => connect("http://localhost:1", options as never)).toThrow(message);
  });

  it("such as an unknown part of the filter of events() is not taken for every event", async () => {
    const server = await scripted((socket) => hello(socket));
    const client = open(server.url);
    expect(() => client.events({ agent: "chef" } as never)).toThrow("Invalid filter: it has no `agent`.");
  });

  it.for([undefined, null, "Idea"])("rejects the call with a sentence: publish(%j)", async (request) => {
    const client = open((await scripted((socket) => hello(socket))).url);
    for (const call of [client.publish(request as never), client.answer("q", request as never)]) {
      await expect(call).rejects.toMatchObject({
        code: "invalid_message",
        message: `Command failed: the request is \`${request}\`. Pass an object with a \`payload\`.`,
      });
    }
  });

  it("does not affect later connections: setFilter() without a filter requests all events", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      socket.on("message", (text) => {
        send(socket, { type: "reply", id: JSON.parse(String(text)).id, ok: true, seq: 0, result: {} });
        socket.close(1001);
      });
    });
    const client = open(server.url, { filter: { agents: ["chef"] } });
    await (client.setFilter as () => Promise<void>)();
    await until(client.subscribe, () => server.queries.length === 2);
    expect(server.queries[1]?.has("agents")).toBe(false);
  });
});

describe("events()", () => {
  it("yields events that pass the filter until the client is closed", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      for (const seq of [1, 2]) send(socket, piece(seq));
      send(socket, { type: "graph_updated", seq: 3, nodes: [], edges: [] });
      send(socket, piece(4));
    });
    const client = open(server.url);
    client.on("event", ({ seq }) => seq === 4 && client.close());
    const seqs: number[] = [];
    for await (const event of client.events({ types: ["streaming_output"] })) seqs.push(event.seq);
    expect(seqs).toEqual([1, 2, 4]);
  });

  it("can be left at any time", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      for (const seq of [1, 2, 3]) send(socket, piece(seq));
    });
    const client = open(server.url);
    for await (const event of client.events()) if (event.seq === 2) break;
    expect(client.seq).toBeGreaterThanOrEqual(2);
  });

  it("and listeners receive an event although another listener throws", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      send(socket, piece(1));
    });
    const client = open(server.url);
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const caught = new Promise((resolve) => process.once("uncaughtException", resolve));
    client.on("event", () => {
      throw new Error("mine");
    });
    const next = new Promise<FlockEvent>((resolve) => client.on("event", resolve));
    expect((await next).seq).toBe(1);
    expect(await caught).toMatchObject({ message: "mine" });
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
});

describe("onError", () => {
  it("receives what listeners throw or reject with, and all other listeners go on", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      for (const seq of [1, 2]) send(socket, piece(seq));
    });
    const errors: unknown[] = [];
    const client = open(server.url, { onError: (error) => errors.push(error) });
    client.subscribe(() => {
      throw "state";
    });
    client.on("streaming_output", () => {
      throw "first";
    });
    client.on("event", async () => {
      throw "second";
    });
    const seqs: number[] = [];
    client.on("event", ({ seq }) => seqs.push(seq));
    for await (const { seq } of client.events()) if (seq === 2) break;
    expect(seqs).toEqual([1, 2]);
    expect(errors).toEqual(expect.arrayContaining(["state", "first", "first", "second", "second"]));
  });

  it("keeps a listener that was added twice until it is removed twice, and calls no listener that was removed", async () => {
    const server = await scripted((socket) => {
      hello(socket);
      for (const seq of [1, 2]) send(socket, piece(seq));
    });
    const client = open(server.url);
    const calls: string[] = [];
    const twice = ({ seq }: FlockEvent) => void calls.push(`twice ${seq}`);
    const stop = client.on("event", twice);
    client.on("event", twice);
    client.on("event", () => {
      stop();
      stopLast();
    });
    const stopLast = client.on("event", () => calls.push("removed"));
    for await (const { seq } of client.events()) if (seq === 2) break;
    expect(calls).toEqual(["twice 1", "twice 1", "twice 2"]);
  });
});

describe("with a real server", () => {
  const Idea = artifact("Idea", z.object({ text: z.string() }));

  /** A flock that several servers serve one after another, on one port. */
  async function serving(options: WebSocketServerConfig & Pick<ServeOptions, "principal"> = {}) {
    const { principal, ...config } = options;
    const flock = new Flock();
    ending.push(() => void flock.shutdown());
    const serve = (port: number) =>
      flock.serve({ components: [new WebSocketServerComponent(config)], port, ...(principal && { principal }) });
    let server = await serve(0);
    const restart = async (between: () => Promise<unknown> = async () => {}) => {
      const { port } = server;
      await server.close();
      await between();
      server = await serve(port);
    };
    return { flock, url: `${server.url}/plugin/ws`, restart };
  }

  it("refuses a message over the limit in hello before sending it, and stays connected", async () => {
    const { url } = await serving({ maxMessageBytes: 1_000 });
    const client = open(url);
    const big = client.publish({ artifact_type: "Idea", payload: { text: "x".repeat(2_000) } });
    await expect(big).rejects.toMatchObject({
      code: "message_too_big",
      message: expect.stringMatching(/the message has 2\d\d\d bytes, and the limit is 1000 bytes/),
    });
    const { connectionId } = client.state;
    await client.ping();
    expect(client.state).toMatchObject({ status: "live", attempt: 1, connectionId });
  });

  const long = Array.from({ length: 100 }, (_, index) => `an agent with a very long name, number ${index}`);
  it.for<[string, Filter]>([
    ["a short filter", { types: ["artifact_published"] }],
    ["a filter too long for a URL", { types: ["artifact_published"], agents: [...long.slice(1), "external"] }],
    ["names that a URL cannot carry", { agents: ["external", "echo", "a,b"] }],
  ])("delivers each event that passes %s once, across restarts", async ([, filter]) => {
    const { flock, url, restart } = await serving();
    flock
      .agent("echo")
      .consumes(Idea)
      .run(async function* ({ Idea: { text } }) {
        yield text;
      });
    flock
      .agent("hidden")
      .consumes(Idea)
      .run(async () => {});
    const publish = async (text: string) => {
      await flock.publish(Idea({ text }));
      await flock.runUntilIdle();
    };
    await publish("before");
    const client = open(url, { filter });
    const all = open(url, { since: 0 });
    const seen: FlockEvent[] = [];
    const expected: FlockEvent[] = [];
    client.on("event", (event) => seen.push(event));
    all.on("event", (event) => expected.push(event));
    const gaps: unknown[] = [];
    client.on("gap", (gap) => gaps.push(gap));
    await reaches(client, "live");
    const start = client.seq as number;
    for (const text of ["one", "two", "three"]) {
      await publish(text);
      await restart(() => publish(`${text}, while there is no server`));
      client.retryNow();
      all.retryNow();
      await reaches(client, "live");
    }
    await publish("last");
    await until(
      (check) => all.on("event", check),
      () => all.seq === flock.log.head,
    );
    // Its reply comes after all events that were committed before.
    await client.ping();
    await client.ping();
    const passes = matcherOf(filter);
    expect(seen).toEqual(expected.filter((event) => event.seq > start && passes(factsOf(event as never))));
    expect(seen.length).toBeGreaterThan(6);
    expect(gaps).toEqual([]);
  });

  it("keeps the old filter when the server refuses a new one, also after a restart", async () => {
    const { flock, url, restart } = await serving();
    const client = open(url, { filter: { types: ["artifact_published"] } });
    const texts: unknown[] = [];
    client.on("event", (event) => texts.push(event.type === "artifact_published" && event.payload));
    const receives = (text: string) =>
      until(
        (check) => client.on("event", check),
        () => texts.some((payload) => (payload as { text: string }).text === text),
      );
    await expect(client.setFilter({ types: ["nonsense" as never] })).rejects.toMatchObject({ code: "invalid_message" });
    await flock.publish(Idea({ text: "one" }));
    await receives("one");
    await restart();
    client.retryNow();
    await reaches(client, "live");
    await expect(client.setFilter({ agents: [] })).rejects.toMatchObject({ code: "invalid_message" });
    await flock.publish(Idea({ text: "two" }));
    await receives("two");
    await client.setFilter({ agents: long });
    await restart();
    client.retryNow();
    await reaches(client, "live");
    await flock.publish(Idea({ text: "three" }));
    await client.setFilter({});
    await flock.publish(Idea({ text: "four" }));
    await receives("four");
    expect(texts).toEqual([{ text: "one" }, { text: "two" }, { text: "four" }]);
  });

  it.for<[string, string, ConnectOptions, string]>([
    ["an unknown path", "/plugin/wss", {}, "not_found"],
    ["an invalid filter", "/plugin/ws", { filter: { types: ["nonsense" as never] } }, "invalid_request"],
    [
      "an invalid filter that a URL cannot carry",
      "/plugin/ws",
      { filter: { types: ["a,b" as never] } },
      "invalid_message",
    ],
    ["wrong credentials", "/plugin/ws?ticket=wrong", {}, "not_authenticated"],
  ])("closes with the server's reason for %s", async ([, path, options, code]) => {
    const principal = ({ url }: { url?: string | undefined }) => (url?.includes("wrong") ? undefined : OWNER);
    const { url } = await serving({ principal });
    const client = open(String(new URL(path, url)), options);
    const command = client.ping();
    await expect(command).rejects.toMatchObject({ code: "closed" });
    expect(client.state).toMatchObject({ status: "closed", code, reason: expect.stringMatching(/\w+.*\./) });
  });

  it("closes for wrong credentials in the headers of another WebSocket implementation", async () => {
    const principal = ({ headers }: { headers: { authorization?: string | undefined } }) =>
      headers.authorization === "right" ? OWNER : undefined;
    const { url } = await serving({ principal });
    const withHeader = (authorization: string) =>
      class extends NodeWebSocket {
        constructor(address: string | URL) {
          super(address, { headers: { authorization } });
        }
      } as never;
    const right = open(url, { WebSocket: withHeader("right") });
    await reaches(right, "live");
    const wrong = open(url, { WebSocket: withHeader("wrong") });
    await reaches(wrong, "closed");
    expect(wrong.state.code).toBe("http_401");
  });

  it("calls an address function for each attempt, so that tickets can expire", async () => {
    const valid = new Set<string>();
    const principal = ({ url }: { url?: string | undefined }) =>
      valid.delete(new URL(url ?? "", "http://x").searchParams.get("ticket") ?? "") ? OWNER : undefined;
    const { flock, url, restart } = await serving({ principal });
    let tickets = 0;
    const client = open(async () => {
      const ticket = `ticket-${++tickets}`;
      // The first one has expired before it is used.
      if (tickets > 1) valid.add(ticket);
      return `${url}?ticket=${ticket}`;
    });
    const texts: string[] = [];
    client.on("artifact_published", ({ payload }) => texts.push((payload as { text: string }).text));
    await reaches(client, "live");
    await restart(() => flock.publish(Idea({ text: "one" })));
    client.retryNow();
    await reaches(client, "live");
    await flock.publish(Idea({ text: "two" }));
    await until(
      (check) => client.on("event", check),
      () => texts.length === 2,
    );
    expect(texts).toEqual(["one", "two"]);
  });

  it("keeps trying while the server refuses for a time, and names the reason", async () => {
    const { url } = await serving({ maxConnections: 1 });
    const first = open(url);
    await reaches(first, "live");
    const second = open(url);
    await until(second.subscribe, () => second.state.code === "too_many_connections");
    expect(second.state.reason).toMatch(/^Connection limit reached \(1\)/);
    first.close();
    await reaches(second, "live");
    expect(second.state).toMatchObject({ code: null, reason: null });
  });

  it("streams, publishes, and resumes after a server restart on the same port", async () => {
    const flock = new Flock();
    ending.push(() => void flock.shutdown());
    flock
      .agent("echo")
      .consumes(Idea)
      .run(async function* ({ Idea: idea }) {
        yield idea.text;
      });
    const first = await flock.serve({ components: [new WebSocketServerComponent()], port: 0 });
    const client = open(`${first.url}/plugin/ws`);
    let text = "";
    const seqs: number[] = [];
    client.on("streaming_output", ({ content }) => (text += content));
    client.on("event", ({ seq }) => seqs.push(seq));
    const received = (expected: string) =>
      until(
        (check) => client.on("event", check),
        () => text === expected,
      );
    await client.publish({ artifact_type: "Idea", payload: { text: "one " } });
    await received("one ");
    await first.close();
    await flock.publish(Idea({ text: "two " }));
    await flock.runUntilIdle();
    await flock.serve({ components: [new WebSocketServerComponent()], port: first.port });
    client.retryNow();
    await received("one two ");
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    await expect(client.publish({ artifact_type: "Idea", payload: {} })).rejects.toMatchObject({
      code: "invalid_payload",
      issues: [{ path: ["text"] }],
    });
  });
});

describe("bundle size", () => {
  it("is below 6,144 bytes, minified and gzipped", async () => {
    expect(await clientBytes()).toBeLessThan(6_144);
  });
});
