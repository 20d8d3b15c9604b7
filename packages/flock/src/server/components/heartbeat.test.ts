import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { frame, RawSocket } from "../../../../../tests/support/raw-socket.ts";
import { SlowReader } from "../../../../../tests/support/slow-reader.ts";
import { artifact, Flock } from "../../index.ts";
import { WebSocketServerComponent } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const INTERVAL_S = 0.1;

async function served() {
  const flock = new Flock().register(Idea);
  onTestFinished(() => flock.shutdown());
  const component = new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: INTERVAL_S });
  const server = await flock.serve({ port: 0, components: [component] });
  const publish = async (count: number, bytes: number) => {
    for (let i = 0; i < count; i++) await flock.publish(Idea({ text: "x".repeat(bytes) }));
  };
  return { flock, component, publish, url: `${server.url.replace("http", "ws")}/plugin/ws` };
}

describe("the heartbeat keeps", () => {
  it.for(["a replay", "live events"])("a client that reads %s slowly and steadily", async (what) => {
    const { flock, publish, url } = await served();
    if (what === "a replay") await publish(150, 10_000);
    await using client = new SlowReader(`${url}?since=0`, { bytes: 4 * 1024, pauseMs: 4 });
    await client.until(() => client.messages.length > 0, "hello");
    if (what === "live events") await publish(150, 10_000);
    const { head } = flock.log;
    // Its answer to the first heartbeat waits behind everything in the buffers of the kernel: for tens of intervals.
    await client.until(() => client.messages.some(({ seq }) => seq === head), "the last event");
    const pings = () => client.messages.filter(({ type }) => type === "ping").length;
    const before = pings();
    await client.until(() => pings() > before + 2, "further heartbeats");
  });

  it("a client that sends a large message in small pieces", async () => {
    const { url, component } = await served();
    await using client = await RawSocket.open(url);
    const message = frame(Buffer.from(JSON.stringify({ id: 1, type: "ping", padding: "x".repeat(600) })));
    for (let at = 0; at < message.length; at += 100) {
      await client.message("ping");
      client.write(message.subarray(at, at + 100));
    }
    expect(await client.message("reply")).toMatchObject({ id: 1, ok: true });
    expect(component.connectionCount).toBe(1);
  });

  it("all clients when the event loop was blocked for longer than the interval", async () => {
    const { url, component } = await served();
    const client = new WebSocket(url);
    onTestFinished(() => client.terminate());
    await once(client, "open");
    await once(client, "ping");
    const codes: number[] = [];
    client.on("close", (code) => codes.push(code));
    for (let blocked = 0; blocked < 6; blocked++) {
      await turn();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * INTERVAL_S * 1_000);
    }
    for (let pings = 0; pings < 3; pings++) await once(client, "ping");
    expect(codes).toEqual([]);
    expect(component.connectionCount).toBe(1);
  });
});

describe("the heartbeat closes", () => {
  it("a client that has stopped to read in the middle of a replay", async () => {
    const { publish, url, component } = await served();
    await publish(10, 200);
    await using client = await RawSocket.open(`${url}?since=0`);
    client.stall();
    await expect.poll(() => component.connectionCount, { timeout: 10_000 }).toBe(0);
  });
});
