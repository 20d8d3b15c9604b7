import { once } from "node:events";
import { connect } from "node:net";
import { connectionsSchema } from "@flock-ts/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";
import { WebSocketServerComponent, type WebSocketServerConfig } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
type Message = { type: string } & Record<string, unknown>;

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Serves a flock that echoes ideas with a WebSocket component. */
async function serving(config: WebSocketServerConfig = {}) {
  const flock = new Flock();
  flock
    .agent("echo")
    .consumes(Idea)
    .run(async function* ({ Idea: idea }, { signal }) {
      yield idea.text;
      if (idea.text === "wait") await once(signal, "abort");
    });
  const component = new WebSocketServerComponent(config);
  const server = await flock.serve({ components: [component], port: 0 });
  ending.push(() => flock.shutdown());
  return { flock, component, server, url: `${server.url.replace("http", "ws")}${component.path}` };
}

/** A client that records what it receives. */
class Client {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  #wake = () => {};

  constructor(url: string, options: object = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on("message", (data) => {
      this.messages.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
  }

  /** Returns the first message that matches, received or yet to come. */
  async first(isMatch: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(isMatch);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  type(type: string): Promise<Message> {
    return this.first((message) => message.type === type);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** Sends a command and returns its reply. */
  async ask(command: Record<string, unknown>): Promise<Message> {
    this.send(command);
    return this.first(({ type, id }) => type === "reply" && id === command.id);
  }
}

async function client(url: string): Promise<Client> {
  const opened = new Client(url);
  await opened.type("hello");
  return opened;
}

describe("the options of WebSocketServerComponent", () => {
  it("have the defaults of the original specification", () => {
    const component = new WebSocketServerComponent();
    expect(component).toMatchObject({ name: "websocket", priority: 7, path: "/plugin/ws", connectionCount: 0 });
    expect(component.config).toMatchObject({
      prefix: "/plugin/",
      tags: ["WebSocket"],
      heartbeatInterval: 120,
      enableHeartbeat: false,
    });
  });

  it.for([
    ["/api/ws", "/api/ws/ws"],
    ["api/ws/", "/api/ws/ws"],
    ["/", "/ws"],
    ["//a//b//", "/a/b/ws"],
  ] as const)("prefix %s gives %s", ([prefix, path]) => {
    expect(new WebSocketServerComponent({ prefix }).path).toBe(path);
  });

  it("are refused by name if invalid", () => {
    expect(() => new WebSocketServerComponent({ heartbeat: 1 } as never)).toThrow(/heartbeat/);
    expect(() => new WebSocketServerComponent({ heartbeatInterval: 0 })).toThrow(/heartbeatInterval/);
    expect(() => new WebSocketServerComponent({ prefix: "/a?b" })).toThrow(/prefix/);
  });
});

describe("a command", () => {
  it("publish: its effect is in the events up to the seq of the reply", async () => {
    const { url } = await serving();
    const one = await client(url);
    const reply = await one.ask({ id: "a", type: "publish", artifact_type: "Idea", payload: { text: "hi" } });
    expect(reply).toMatchObject({ ok: true, result: { triggered_agents: ["echo"] } });
    const published = await one.type("artifact_published");
    expect(published.seq).toBe(reply.seq);
    expect(published.artifact_id).toBe((reply.result as { artifact_id: string }).artifact_id);
    expect(await one.type("streaming_output")).toMatchObject({ content: "hi" });
  });

  it("invoke and cancel", async () => {
    const { url } = await serving();
    const one = await client(url);
    const invoked = await one.ask({
      id: 1,
      type: "invoke",
      agent_id: "echo",
      inputs: [{ artifact_type: "Idea", payload: { text: "wait" } }],
    });
    await one.type("streaming_output");
    const { run_id } = invoked.result as { run_id: string };
    expect(await one.ask({ id: 2, type: "cancel", run_id })).toMatchObject({ ok: true, result: { cancelled: 1 } });
    expect(await one.type("agent_execution_completed")).toMatchObject({ run_id, status: "cancelled" });
  });

  it("graph, ping and subscribe", async () => {
    const { url } = await serving();
    const one = await client(url);
    const graph = await one.ask({ id: 1, type: "graph" });
    expect(graph).toMatchObject({ ok: true, result: { seq: graph.seq, nodes: [{ id: "external" }, { id: "echo" }] } });
    expect(await one.ask({ id: 2, type: "ping" })).toMatchObject({
      ok: true,
      result: { timestamp: expect.any(String) },
    });
    expect(await one.ask({ id: 3, type: "subscribe", since: 0 })).toMatchObject({
      ok: true,
      result: { head: graph.seq },
    });
    expect(await one.type("caught_up")).toMatchObject({ seq: graph.seq });
  });

  it("that fails gets a reply with the reason and the path of each invalid field", async () => {
    const { url } = await serving();
    const one = await client(url);
    expect(await one.ask({ id: 1, type: "publish", artifact_type: "Idea", payload: { text: 5 } })).toMatchObject({
      ok: false,
      error: { code: "invalid_payload", issues: [{ path: ["text"] }] },
    });
    expect(await one.ask({ id: 2, type: "publish", artifact_type: "Pasta", payload: {} })).toMatchObject({
      ok: false,
      error: { code: "unknown_artifact_type" },
    });
    expect(await one.ask({ id: 3, type: "cancel" })).toMatchObject({ ok: false, error: { code: "invalid_message" } });
    expect(await one.ask({ id: "four", type: "fly" })).toMatchObject({ id: "four", ok: false });
  });
});

describe("a message that is not a command", () => {
  it("is ignored if it is JSON, as in the original specification", async () => {
    const { url } = await serving();
    const one = await client(url);
    for (const message of ['{"type":"pong"}', '"hello"', "42", "null", "[]", "{}"]) one.send(message);
    await one.ask({ id: "after", type: "ping" });
    expect(one.messages.filter(({ type }) => type === "error")).toEqual([]);
  });

  it("gets an error otherwise, and the connection stays open", async () => {
    const { url } = await serving();
    const one = await client(url);
    one.send("{ not json");
    expect(await one.type("error")).toMatchObject({
      code: "invalid_message",
      message: expect.stringMatching(/not JSON/),
    });
    one.send(Buffer.from([1, 2, 3]));
    await one.first(({ type, message }) => type === "error" && /binary/.test(String(message)));
    expect(await one.ask({ id: 1, type: "dance" })).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/"dance".*subscribe, publish/) },
    });
    expect(await one.ask({ id: 2, type: "ping" })).toMatchObject({ ok: true });
  });

  it("closes the connection with 1008 after ten errors in ten seconds", async () => {
    const { url } = await serving();
    const one = await client(url);
    for (let i = 0; i < 10; i++) one.send("rubbish");
    expect(await one.closed).toMatchObject({ code: 1008 });
    expect(one.messages.filter(({ type }) => type === "error")).toHaveLength(10);
  });

  it("closes the connection with 1009 if it is too large", async () => {
    const { url } = await serving({ maxMessageBytes: 1_000 });
    const one = await client(url);
    one.send(JSON.stringify({ type: "pong", padding: "x".repeat(1_000) }));
    expect(await one.closed).toMatchObject({ code: 1009 });
  });
});

describe("the heartbeat", () => {
  it("sends a control frame and a message, and keeps clients that answer", async () => {
    const { url } = await serving({ enableHeartbeat: true, heartbeatInterval: 0.05 });
    const one = new Client(url);
    expect(await one.type("hello")).toMatchObject({ heartbeat_interval: 0.05 });
    let pings = 0;
    one.socket.on("ping", () => (pings += 1));
    await one.first((_) => one.messages.filter(({ type }) => type === "ping").length >= 5);
    expect(one.messages.find(({ type }) => type === "ping")).toMatchObject({
      timestamp: expect.any(String),
      head: expect.any(Number),
    });
    expect(pings).toBeGreaterThanOrEqual(4);
    expect(one.socket.readyState).toBe(WebSocket.OPEN);
  });

  it("closes a client that does not answer with 4408", async () => {
    const { url, component } = await serving({ enableHeartbeat: true, heartbeatInterval: 0.05 });
    const one = new Client(url, { autoPong: false });
    expect(await one.closed).toMatchObject({ code: 4408 });
    await expect.poll(() => component.connectionCount, { timeout: 10_000 }).toBe(0);
  });

  it("releases a client that vanished without closing", async () => {
    const { server, component } = await serving({ enableHeartbeat: true, heartbeatInterval: 0.05 });
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      `GET /plugin/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    await once(socket, "data");
    expect(component.connectionCount).toBe(1);
    // The client does not read, answer or close.
    socket.pause();
    await expect.poll(() => component.connectionCount, { timeout: 10_000 }).toBe(0);
    socket.destroy();
  });
});

describe("a slow client", () => {
  it("does not delay agents or other clients, and receives every event eventually", async () => {
    const { url, flock, component } = await serving();
    const [slow, quick] = [await client(url), await client(url)];
    slow.socket.pause();
    const text = "x".repeat(100_000);
    for (let i = 0; i < 150; i++) await flock.publish(Idea({ text }), { correlationId: `${i}` });
    await flock.runUntilIdle();
    const { head } = flock.stats();
    await quick.first(({ seq }) => seq === head);
    // The client has received everything before the server notices.
    await expect.poll(() => component.stats(), { timeout: 10_000 }).toMatchObject({ connections: 2, lagging: 1 });
    slow.socket.resume();
    await slow.first(({ seq }) => seq === head);
    const seqs = (of: Client) =>
      of.messages.flatMap(({ type, seq }) => (typeof seq === "number" && type !== "reply" ? [seq] : []));
    expect(seqs(slow)).toEqual(seqs(quick));
    expect(new Set(seqs(slow)).size).toBe(seqs(slow).length);
  });

  it("that does not read its replies is not read either", async () => {
    const { url, component, server } = await serving({ commandBurst: 1_000_000 });
    const one = await client(url);
    one.socket.pause();
    const padding = "x".repeat(190);
    for (let i = 0; i < 50_000; i++) one.send({ id: `${i} ${padding}`, type: "ping" });
    const unsentBytes = async () => {
      const { connections } = connectionsSchema.parse(await (await fetch(`${server.url}/plugin/connections`)).json());
      return connections[0]?.unsent_bytes ?? 0;
    };
    // Beyond this many bytes of replies, the server no longer reads.
    await expect.poll(unsentBytes, { timeout: 10_000 }).toBeGreaterThan(1024 * 1024);
    expect(component.stats().commands).toBeLessThan(50_000);
    one.socket.resume();
    await one.first(({ id }) => id === `49999 ${padding}`);
    expect(one.messages.filter(({ type }) => type === "reply")).toHaveLength(50_000);
  });
});

describe("GET /connections", () => {
  it("lists the clients with filter and lag, the largest lag first", async () => {
    const { flock, url, server } = await serving();
    const slow = await client(`${url}?types=streaming_output`);
    const quick = await client(url);
    const connections = async (query = "") => {
      const { connections, total } = connectionsSchema.parse(
        await (await fetch(`${server.url}/plugin/connections${query}`)).json(),
      );
      return { connections, total };
    };
    const [slowId, quickId] = [slow, quick].map(({ messages }) => messages[0]?.connection_id);
    expect(await connections()).toMatchObject({
      connections: [
        { connection_id: slowId, filter: { types: ["streaming_output"] }, from: "127.0.0.1", encoding: "plain" },
        { connection_id: quickId, filter: {}, live: true, lag: 0, unsent_bytes: 0 },
      ],
      total: 2,
    });
    quick.socket.pause();
    for (let n = 0; (await connections()).connections[0]?.lag === 0; n++) {
      await flock.publish(Idea({ text: `${n}`.padEnd(200_000) }));
      await flock.runUntilIdle();
    }
    const { connections: listed, total } = await connections("?limit=1");
    expect([listed.map(({ connection_id, live }) => [connection_id, live]), total]).toEqual([[[quickId, false]], 2]);
    expect(listed[0]?.unsent_bytes).toBeGreaterThan(0);
  });
});

describe("a handshake that is refused", () => {
  const refusal = (url: string) =>
    new Promise<{ status: number; retryAfter: string | undefined; body: unknown }>((resolve) => {
      new WebSocket(url)
        .on("unexpected-response", (_, response) => {
          let text = "";
          response.on("data", (chunk) => (text += chunk));
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              retryAfter: response.headers["retry-after"],
              body: JSON.parse(text),
            }),
          );
        })
        .on("error", () => {});
    });

  it("gets 404 or 426 without a WebSocket", async () => {
    const { url, server } = await serving();
    expect(await refusal(`${server.url.replace("http", "ws")}/nowhere`)).toMatchObject({ status: 404 });
    const plain = await fetch(url.replace("ws", "http"));
    expect(plain.status).toBe(426);
    expect(plain.headers.get("upgrade")).toBe("websocket");
    expect(await plain.json()).toMatchObject({ error: { code: "upgrade_required" } });
  });

  it("gets the reason of a refusal without a WebSocket, because browsers hide it", async () => {
    const { url, component } = await serving({ maxConnections: 1 });
    const ask = async (query = "", headers = {}) => {
      const response = await fetch(url.replace("ws", "http") + query, { headers });
      return (await response.json()).error.code;
    };
    expect(await ask("?since=x")).toBe("invalid_request");
    expect(await ask("", { origin: "http://evil.example" })).toBe("origin_not_allowed");
    const first = new Client(url);
    expect(await first.first(({ type }) => type === "hello")).toMatchObject({ max_message_bytes: 1024 * 1024 });
    expect(await ask()).toBe("too_many_connections");
    // Only handshakes are counted.
    expect(component.stats().refused).toBe(0);
    first.socket.close();
  });

  it("gets 400 with the name of an invalid parameter", async () => {
    const { url, component } = await serving();
    expect(await refusal(`${url}?since=yesterday`)).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_request", issues: [{ path: ["since"] }] } },
    });
    expect(await refusal(`${url}?types=no_such_event`)).toMatchObject({ status: 400 });
    expect(component.stats().refused).toBe(2);
  });

  it("gets 503 with `Retry-After` at the connection limit", async () => {
    const { url } = await serving({ maxConnections: 1 });
    const one = await client(url);
    expect(await refusal(url)).toMatchObject({
      status: 503,
      retryAfter: "5",
      body: { error: { code: "too_many_connections" } },
    });
    one.socket.close();
    await one.closed;
    for (;;) {
      const next = new Client(url);
      if (await Promise.race([next.type("hello"), next.closed.then(() => undefined)])) break;
    }
  });
});

describe("a shutdown", () => {
  it("interrupts runs, and sends clients the events and a `goodbye` with a retry time", async () => {
    const { url, flock } = await serving();
    const one = await client(url);
    await flock.publish(Idea({ text: "wait" }));
    await one.type("streaming_output");
    await flock.shutdown();
    expect(await one.closed).toMatchObject({ code: 1001 });
    expect(await one.type("agent_execution_completed")).toMatchObject({ status: "interrupted" });
    expect(one.messages.at(-1)).toMatchObject({ type: "goodbye", retry_after_ms: expect.any(Number) });
  });
});

describe("GET /events", () => {
  it("returns each matching event once and in order, for any page size", async () => {
    const { flock, server } = await serving();
    for (let i = 0; i < 25; i++) await flock.publish(Idea({ text: `idea ${i} 🍕` }));
    await flock.runUntilIdle();
    for (const [query, count] of [
      ["limit=7", flock.log.head],
      ["limit=4&types=artifact_published", 25],
    ] as const) {
      const seqs: number[] = [];
      for (let after = 0, head = 1; after < head; ) {
        const page = (await (await fetch(`${server.url}/plugin/events?${query}&after=${after}`)).json()) as {
          events: { seq: number }[];
          next: number;
          head: number;
        };
        seqs.push(...page.events.map(({ seq }) => seq));
        expect(page.next).toBeGreaterThan(after);
        ({ next: after, head } = page);
      }
      expect(seqs).toHaveLength(count);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    }
  });

  it("reports gaps and invalid parameters", async () => {
    const { flock, server } = await serving();
    await flock.publish(Idea({ text: "a" }));
    const at = (query: string) => fetch(`${server.url}/plugin/events?${query}`);
    expect(await (await at("after=1&epoch=another")).json()).toMatchObject({
      epoch: flock.log.epoch,
      gap: { reason: "epoch" },
    });
    const refused = await at("limit=0");
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { issues: [{ path: ["limit"] }] } });
  });
});
