import { once } from "node:events";
import fc from "fast-check";
import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { afterEach, describe, expect, it } from "vitest";
import { type WebSocket as ServerSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { clientBytes } from "../size.ts";
import { type ConnectOptions, connect, type FlockClient, FlockClientError, type FlockEvent } from "./index.ts";

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

const open = (url: string, options: ConnectOptions = {}) => {
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

describe("with a real server", () => {
  it("streams, publishes, and resumes after a server restart on the same port", async () => {
    const Idea = artifact("Idea", z.object({ text: z.string() }));
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
