import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { RawSocket } from "../../../../tests/support/raw-socket.ts";
import { Flock } from "../index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { WebSocketServerComponent } from "./components/index.ts";
import { RefusalLog } from "./refusal-log.ts";

/** A logger, and the lines that it has written about refusals. */
function recording() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      const line = JSON.parse(String(chunk));
      if (String(line.msg).startsWith("refused")) lines.push(line);
      done();
    },
  });
  return { logger: pino({ level: "warn" }, stream), lines };
}

describe("the log of a server", () => {
  async function served() {
    const { logger, lines } = recording();
    const flock = new Flock({ logger });
    onTestFinished(() => flock.shutdown());
    const server = await flock.serve({ port: 0, components: [new WebSocketServerComponent({ maxConnections: 1 })] });
    const request = async (path: string, headers: Record<string, string | null> = {}) => {
      const raw = await RawSocket.connect(server.url);
      onTestFinished(() => raw[Symbol.asyncDispose]());
      await raw.body(await raw.request(path, headers));
    };
    return { server, lines, request };
  }

  it("has one line for each refused client, with the reason and without its query", async () => {
    const { server, lines, request } = await served();
    const stream = { Upgrade: null, Connection: null, Accept: "text/event-stream" };
    await request("/plugin/ws?ticket=secret&since=x");
    await request("/plugin/ws", { Origin: "https://evil.example" });
    await request("/plugin/ws", { "Sec-WebSocket-Key": "short" });
    await request("/nowhere");
    await request("/%zz");
    await request("/plugin/ws", { Host: "evil.example" });
    await using _only = await RawSocket.open(`${server.url.replace("http", "ws")}/plugin/ws`);
    await request("/plugin/ws");
    await request("/plugin/events", stream);
    const common = { level: 40, from: "127.0.0.1", path: "/plugin/ws", msg: "refused a client" };
    expect(lines).toMatchObject([
      { ...common, status: 400, code: "invalid_request", reason: expect.stringContaining("since") },
      { ...common, status: 403, code: "origin_not_allowed", origin: "https://evil.example" },
      { ...common, status: 400, reason: expect.stringContaining("Sec-WebSocket-Key") },
      { ...common, status: 404, path: "/nowhere" },
      { ...common, status: 400, path: "/%zz" },
      { ...common, status: 403, code: "host_not_allowed" },
      { ...common, status: 503, code: "too_many_connections" },
      { ...common, status: 503, code: "too_many_connections", path: "/plugin/events" },
    ]);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  it("has no line for other requests", async () => {
    const { server, lines } = await served();
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404);
    expect(lines).toEqual([]);
  });
});

describe("RefusalLog", () => {
  it("writes ten lines per minute, then the number of the others", async () => {
    const { logger, lines } = recording();
    const clock = fakeClock();
    const refusals = new RefusalLog(logger, clock);
    const add = (count: number) => {
      for (let i = 0; i < count; i++) {
        refusals.add({ upgrade: true, url: "/", headers: {} } as never, "::1", {
          status: 404,
          error: { code: "not_found", message: "" },
        });
      }
    };
    add(1_000);
    expect(lines).toHaveLength(10);
    await clock.advance(60_000);
    expect(lines.slice(10)).toMatchObject([{ msg: "refused more clients", refused: 990 }]);
    add(3);
    await clock.advance(60_000);
    expect(lines).toHaveLength(14);
    add(12);
    refusals.end();
    expect(lines.at(-1)).toMatchObject({ refused: 2 });
  });
});
