import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { RawSocket } from "../../../../tests/support/raw-socket.ts";
import { artifact, Flock } from "../index.ts";
import {
  ControlRoutesComponent,
  HealthAndMetricsComponent,
  McpServerComponent,
  ServerComponent,
  type ServerContext,
  WebSocketServerComponent,
} from "./components/index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));

/** Holds the first request before its route handles it, for as long as `hold` says. */
class Gate extends ServerComponent {
  override readonly name = "gate";
  readonly #arrived = Promise.withResolvers<void>();
  readonly #passed = Promise.withResolvers<void>();
  readonly #hold: (request: IncomingMessage) => Promise<unknown>;
  #isFirst = true;

  constructor(hold: (request: IncomingMessage) => Promise<unknown>) {
    super();
    this.#hold = hold;
  }

  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  get passed(): Promise<void> {
    return this.#passed.promise;
  }

  override configure({ app }: ServerContext): void {
    app.addHook("onRequest", async ({ raw }) => {
      if (!this.#isFirst) return;
      this.#isFirst = false;
      this.#arrived.resolve();
      await this.#hold(raw);
      this.#passed.resolve();
    });
  }
}

async function served(...components: ServerComponent[]) {
  const flock = new Flock().register(Idea);
  onTestFinished(() => flock.shutdown());
  const websocket = new WebSocketServerComponent();
  const mcp = new McpServerComponent();
  const server = await flock.serve({
    port: 0,
    components: [websocket, mcp, new ControlRoutesComponent(), new HealthAndMetricsComponent(), ...components],
  });
  const raw = async () => {
    const socket = await RawSocket.connect(server.url);
    onTestFinished(() => socket[Symbol.asyncDispose]());
    return socket;
  };
  return { flock, server, websocket, mcp, raw };
}

const H2C = { Upgrade: "h2c", Connection: "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABk" };
const NO_WEBSOCKET = { "Sec-WebSocket-Version": null, "Sec-WebSocket-Key": null };

describe("an offer to upgrade to anything but a WebSocket", () => {
  it.for(["/health", "/openapi.json", "/api/plugin/graph"])("is ignored, and GET %s is answered", async (path) => {
    const { raw } = await served();
    const client = await raw();
    const head = await client.request(path, { ...H2C, ...NO_WEBSOCKET });
    expect(head.status).toBe(200);
    // The connection can be used for further requests.
    expect((await client.body(head)) as object).toBeTypeOf("object");
    expect((await client.request("/health", NO_WEBSOCKET)).status).toBe(404);
  });

  it("is ignored, and a body is read", async () => {
    const { raw, flock } = await served();
    const client = await raw();
    const body = JSON.stringify({ artifact_type: "Idea", payload: { text: "over HTTP/1.1" } });
    const head = client.request(
      "/api/plugin/publish",
      { ...H2C, ...NO_WEBSOCKET, "Content-Type": "application/json", "Content-Length": String(body.length) },
      "POST",
    );
    client.write(body);
    expect((await head).status).toBe(200);
    expect(await flock.store.getByType(Idea)).toEqual([{ text: "over HTTP/1.1" }]);
  });

  it("gets 426 on the WebSocket endpoint, as any other request", async () => {
    const { raw } = await served();
    const client = await raw();
    const head = await client.request("/plugin/ws", { ...H2C, ...NO_WEBSOCKET });
    expect([head.status, head.headers.get("upgrade")]).toEqual([426, "websocket"]);
    expect(await client.body(head)).toMatchObject({ error: { code: "upgrade_required" } });
  });

  it("does not matter to a server without a WebSocket either", async () => {
    await using flock = new Flock();
    const server = await flock.serve({ port: 0, components: [new HealthAndMetricsComponent()] });
    await using client = await RawSocket.connect(server.url);
    expect((await client.request("/health", { ...H2C, ...NO_WEBSOCKET })).status).toBe(200);
    await using other = await RawSocket.connect(server.url);
    expect((await other.request("/plugin/ws")).status).toBe(404);
  });
});

const PLAIN = { ...NO_WEBSOCKET, Upgrade: null, Connection: null };

describe("a client that disconnects before it is admitted", () => {
  it.for([
    ["a WebSocket", "/plugin/ws", {}],
    ["an event stream", "/plugin/events", { ...PLAIN, Accept: "text/event-stream" }],
    ["an MCP client", "/mcp", { ...PLAIN, Accept: "text/event-stream" }],
  ] as const)("is not counted: %s", async ([, path, headers]) => {
    const gate = new Gate(({ socket }) => once(socket, "close"));
    const { raw, server, websocket, mcp } = await served(gate);
    const client = await raw();
    client.request(path, headers).catch(() => {});
    await gate.arrived;
    client.vanish();
    await gate.passed;
    // The answer to a later request shows that the first one has been handled.
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect([websocket.connectionCount, mcp.requestCount]).toEqual([0, 0]);
    await server.close();
  });
});

describe("a request that is pipelined behind another one", () => {
  const HEADERS = { Host: "localhost", Accept: "text/event-stream" };
  const request = (path: string, headers: Record<string, string>) =>
    `GET ${path} HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}\r\n`;
  const UPGRADE = {
    Host: "localhost",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };

  it.for([
    ["a stream", "/plugin/events", HEADERS, 400, "invalid_request"],
    ["a WebSocket", "/plugin/ws", UPGRADE, 426, "upgrade_required"],
  ] as const)("is answered after it: %s", async ([, path, headers, status, code]) => {
    const released = Promise.withResolvers<void>();
    const gate = new Gate(() => released.promise);
    const { raw, websocket, server } = await served(gate);
    const client = await raw();
    client.write(request("/health", { Host: "localhost" }) + request(path, headers));
    await gate.arrived;
    // The answer to another client shows that the second request has been read.
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    released.resolve();
    const first = await client.head();
    expect([first.status, await client.body(first)]).toEqual([200, { status: "ok" }]);
    const refusal = await client.head();
    expect([refusal.status, await client.body(refusal)]).toEqual([
      status,
      { error: { code, message: expect.any(String) } },
    ]);
    expect(websocket.connectionCount).toBe(0);
    await server.close();
  });

  it("does not disturb a stream", async () => {
    const { raw, websocket, flock, server } = await served();
    const client = await raw();
    client.write(request("/plugin/events", HEADERS).repeat(2));
    expect((await client.head()).status).toBe(200);
    // The answer to another client shows that the second request has been handled.
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await flock.publish(Idea({ text: "once" }));
    await flock.publish(Idea({ text: "last" }));
    await expect.poll(() => client.text).toContain("last");
    expect(client.text.match(/once/g)).toHaveLength(1);
    expect(websocket.connectionCount).toBe(1);
    await server.close();
  });
});

describe("a client that arrives while the server shuts down", () => {
  const expected = { error: { code: "shutting_down", message: "The server is shutting down. Retry later." } };

  it("gets 503 before the handshake, with `Retry-After`", async () => {
    const stopping = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    class Slow extends ServerComponent {
      override readonly name = "slow";
      override async onShutdown(): Promise<void> {
        stopping.resolve();
        await stopped.promise;
      }
    }
    const { raw, server } = await served(new Slow());
    const [upgrading, plain] = [await raw(), await raw()];
    const closed = server.close();
    await stopping.promise;
    for (const [client, headers] of [
      [upgrading, {}],
      [plain, PLAIN],
    ] as const) {
      const head = await client.request("/plugin/ws", headers);
      expect([head.status, head.headers.get("retry-after"), head.headers.get("connection")]).toEqual([
        503,
        "2",
        "close",
      ]);
      expect(await client.body(head)).toEqual(expected);
      await client.ended();
    }
    stopped.resolve();
    await closed;
  });

  it("gets a close notice on an event stream, because `EventSource` never reconnects after another status", async () => {
    const released = Promise.withResolvers<void>();
    const gate = new Gate(() => released.promise);
    const { raw, server } = await served(gate);
    const client = await raw();
    const waiting = client.request("/plugin/events", { ...PLAIN, Accept: "text/event-stream" });
    await gate.arrived;
    const closed = server.close();
    released.resolve();
    const head = await waiting;
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    await client.ended();
    const [, retry, data = ""] = /^retry: (\d+)\n\ndata: (.+)\n\n$/.exec(client.text) ?? [];
    const retry_after_ms = Number(retry);
    expect(JSON.parse(data)).toEqual({ type: "goodbye", reason: "the server is shutting down", retry_after_ms });
    expect(retry_after_ms).toBeGreaterThanOrEqual(2_000);
    await closed;
  });

  it.for([
    ["an upgrade", "/plugin/ws", {}],
    ["a request", "/health", PLAIN],
  ] as const)("or waited to be admitted, gets 503: %s", async ([, path, headers]) => {
    const released = Promise.withResolvers<void>();
    const gate = new Gate(() => released.promise);
    const { raw, server } = await served(gate);
    const client = await raw();
    const waiting = client.request(path, headers);
    await gate.arrived;
    const closed = server.close();
    released.resolve();
    const head = await waiting;
    expect(head.status).toBe(503);
    expect(await client.body(head)).toEqual(expected);
    await closed;
  });
});
