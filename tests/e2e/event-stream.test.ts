import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { EventStreamClient } from "../support/event-stream.ts";
import { startNginx } from "../support/nginx.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { startServer, type TestServer } from "../support/server.ts";

/** Six events: an artifact, the start of a run, three chunks of its stream, its pizza, its end. */
async function bake(server: TestServer, description = "truffle"): Promise<void> {
  await server.flock.publish(Idea({ description }));
  await server.flock.runUntilIdle();
}

/** Returns the log over JSON. */
async function logOf(server: TestServer, query = ""): Promise<{ seq: number }[]> {
  const response = await server.get(`/plugin/events?limit=1000${query}`);
  return ((await response.json()) as { events: { seq: number }[] }).events;
}

const events = (client: EventStreamClient) => client.messages.filter((message) => "timestamp" in message);

describe("Server-Sent Events", () => {
  it("send the JSON of the WebSocket, with the cursor as event id", async () => {
    await using server = await startServer({ flock: pizzeria() });
    const socket = await server.connect("/plugin/ws?since=0");
    await using client = await EventStreamClient.open(`${server.url}/plugin/events?since=0`);
    expect(client.response.status).toBe(200);
    expect(client.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    // Otherwise a proxy or middleware that compresses would buffer the events.
    expect(client.response.headers.get("cache-control")).toBe("no-store, no-transform");
    await bake(server);
    const { head } = server.flock.log;
    await client.until(() => client.seqs.at(-1) === head, "everything");
    await socket.until(() => socket.events.at(-1)?.seq === head, "everything");
    expect(events(client)).toEqual(socket.events);
    const hello = client.messages.find(({ type }) => type === "hello");
    expect(hello).toMatchObject({ protocol: 1, epoch: server.flock.log.epoch });
    for (const { id, message } of client.blocks) {
      if ("timestamp" in message) expect(id).toBe(`${server.flock.log.epoch}:${"seq" in message && message.seq}`);
    }
    await socket.close();
  });

  it("resume after Last-Event-ID, regardless of the URL", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await bake(server);
    const all = (await logOf(server)).map(({ seq }) => seq);
    for (const at of [1, 3, all.length]) {
      const headers = { "last-event-id": `${server.flock.log.epoch}:${at}` };
      await using client = await EventStreamClient.open(`${server.url}/plugin/events?since=0`, headers);
      await client.until(() => client.messages.some(({ type }) => type === "caught_up"), "caught_up");
      expect(client.seqs).toEqual(all.filter((seq) => seq > at));
      expect(client.lastEventId).toBe(`${server.flock.log.epoch}:${all.at(-1)}`);
    }
  });

  it("send the cursor before the first event, so that a disconnect loses nothing", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await bake(server);
    const before = server.flock.log.head;
    const url = `${server.url}/plugin/events`;
    const first = await EventStreamClient.open(url);
    await first.until(() => first.lastEventId !== "", "a place");
    await first[Symbol.asyncDispose]();
    await bake(server, "ham");
    await using second = await EventStreamClient.open(url, { "last-event-id": first.lastEventId });
    await second.until(() => second.seqs.at(-1) === server.flock.log.head, "what came meanwhile");
    expect(second.seqs).toEqual((await logOf(server, `&after=${before}`)).map(({ seq }) => seq));
  });

  it("end each event with its cursor, so that a client that takes it at once has the whole event", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await bake(server);
    const reader = await RawSocket.connect(server.url);
    reader.write(
      `GET /plugin/events?since=0 HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nAccept: text/event-stream\r\n\r\n`,
    );
    await expect.poll(() => reader.text.includes(`:${server.flock.log.head}\n\n`)).toBe(true);
    const [, ...blocks] = reader.text.slice(reader.text.indexOf("\r\n\r\n") + 4).split("\n\n");
    for (const block of blocks.filter(Boolean)) expect(block).toMatch(/^data: \{.*\}\nid: .*:\d+$/);
    expect(blocks.length).toBeGreaterThan(6);
  });

  it("report a gap to a client of another log", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await bake(server);
    await using client = await EventStreamClient.open(`${server.url}/plugin/events`, { "last-event-id": "other:3" });
    await client.until(() => client.seqs.at(-1) === server.flock.log.head, "everything");
    expect(client.messages.find(({ type }) => type === "gap")).toMatchObject({ reason: "epoch" });
  });

  it.for(["&types=artifact_published", "&agents=pizza_master", "&artifact_types=Pizza"])(
    "filter like the other endpoints: %s",
    async (filter) => {
      await using server = await startServer({ flock: pizzeria() });
      await bake(server);
      await using client = await EventStreamClient.open(`${server.url}/plugin/events?since=0${filter}`);
      await client.until(() => client.messages.some(({ type }) => type === "caught_up"), "caught_up");
      await bake(server, "ham");
      const wanted = (await logOf(server, filter)).map(({ seq }) => seq);
      await client.until(() => client.seqs.length >= wanted.length, "as many");
      expect(client.seqs).toEqual(wanted);
    },
  );

  it("send the latest events with since=-2", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await bake(server);
    await using client = await EventStreamClient.open(`${server.url}/plugin/events?since=-2`);
    await client.until(() => client.messages.some(({ type }) => type === "caught_up"), "caught_up");
    expect(client.seqs).toEqual((await logOf(server)).slice(-2).map(({ seq }) => seq));
  });

  it("buffer nothing for a client that does not read, which later receives everything", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await using stalled = await RawSocket.connect(server.url);
    stalled.stall();
    stalled.write(
      `GET /plugin/events?since=0 HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nAccept: text/event-stream\r\n\r\n`,
    );
    const long = "x".repeat(100_000);
    for (let i = 0; i < 40; i++) await bake(server, `${i} ${long}`);
    const { head } = server.flock.log;
    expect(server.websocket.stats()).toMatchObject({ connections: 1, lagging: 1 });
    stalled.flow();
    await expect.poll(() => server.websocket.stats().lagging, { timeout: 20_000 }).toBe(0);
    await expect.poll(() => stalled.text.includes(`:${head}\n`), { timeout: 20_000 }).toBe(true);
    const seqs = [...stalled.text.matchAll(/^data: \{"type":"(?!caught_up).*\nid: .*:(\d+)$/gm)].map(([, seq]) =>
      Number(seq),
    );
    expect(seqs).toEqual(Array.from({ length: head }, (_, i) => i + 1));
  });

  it("keep a silent connection open with comments", async () => {
    const component = new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 0.05 });
    await using server = await startServer({ components: [component] });
    await using client = await EventStreamClient.open(`${server.url}/plugin/events`);
    await client.until(() => client.comments.length >= 3, "a third comment");
  });

  it("send a close notice with the reconnect delay", async () => {
    const server = await startServer();
    await using client = await EventStreamClient.open(`${server.url}/plugin/events`);
    await client.until(() => client.lastEventId !== "", "a place");
    await server[Symbol.asyncDispose]();
    await client.ended;
    expect(client.messages.at(-1)).toMatchObject({ type: "goodbye", retry_after_ms: client.retry });
  });

  it("count towards the connection limit and are refused with a retry delay", async () => {
    await using server = await startServer({ components: [new WebSocketServerComponent({ maxConnections: 1 })] });
    await using client = await EventStreamClient.open(`${server.url}/plugin/events`);
    await client.until(() => server.websocket.connectionCount === 1, "a client");
    const refused = await fetch(`${server.url}/plugin/events`, { headers: { accept: "text/event-stream" } });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toMatchObject({ error: { code: "too_many_connections" } });
  });

  it("answer an invalid query like every route", async () => {
    await using server = await startServer();
    const response = await fetch(`${server.url}/plugin/events?since=yesterday`, {
      headers: { accept: "text/event-stream" },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_request", issues: [{ path: ["since"] }] } });
  });

  it("pass through nginx event by event", async () => {
    await using server = await startServer({ flock: pizzeria() });
    const { port } = new URL(server.url);
    await using nginx = await startNginx({ locations: `location / { proxy_pass http://127.0.0.1:${port}; }` });
    await using client = await EventStreamClient.open(`${nginx.url}/plugin/events?since=0`);
    for (const topping of ["truffle", "ham", "olives"]) {
      await bake(server, topping);
      // Each event arrives before the next one is published, so nothing is buffered.
      await client.until(() => client.seqs.at(-1) === server.flock.log.head, "everything so far");
    }
  });
});
