import { fileURLToPath } from "node:url";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { runPython } from "../support/python.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer, type TestServer } from "../support/server.ts";

const compressing = () =>
  startServer({ flock: pizzeria(), components: [new WebSocketServerComponent({ compression: true })] });

async function bake({ flock }: TestServer, pizzas: number): Promise<void> {
  for (let i = 0; i < pizzas; i++) await flock.publish(Idea({ description: `truffle ${i}` }));
  await flock.runUntilIdle();
}

const ofExtension = (client: RecordingSocket) => client.socket.extensions;

describe("compression", () => {
  it("is off by default", async () => {
    await using server = await startServer();
    await using client = await RecordingSocket.open(server.ws());
    expect(ofExtension(client)).toBe("");
  });

  it("gives clients with and without it the same log, early and late", async () => {
    await using server = await compressing();
    await bake(server, 3);
    const clients = [
      await RecordingSocket.open(server.ws("/plugin/ws?since=0")),
      await RecordingSocket.open(server.ws("/plugin/ws?since=0"), { perMessageDeflate: false }),
    ];
    await bake(server, 3);
    clients.push(await RecordingSocket.open(server.ws("/plugin/ws?since=5")));
    await bake(server, 3);
    const { head } = server.flock.log;
    for (const client of clients) await client.until(() => client.events.at(-1)?.seq === head, "everything");
    expect(clients.map(ofExtension)).toEqual(["permessage-deflate", "", "permessage-deflate"]);
    const [first, second, third] = clients.map(({ events }) => events);
    expect(first).toHaveLength(head);
    expect(second).toEqual(first);
    expect(third).toEqual(first?.slice(5));
    for (const client of clients) await client.close();
  });

  it("accepts compressed commands and checks their inflated size", async () => {
    await using server = await startServer({
      flock: pizzeria(),
      components: [new WebSocketServerComponent({ compression: true, maxMessageBytes: 10_000 })],
    });
    await using client = await RecordingSocket.open(server.ws(), { perMessageDeflate: { threshold: 0 } });
    const publish = (description: string) => ({
      id: description.length,
      type: "publish",
      artifact_type: "Idea",
      payload: { description },
    });
    expect(await client.command(publish("x".repeat(9_000)))).toMatchObject({ ok: true });
    client.send(publish("x".repeat(5_000_000)));
    expect(await client.closed).toMatchObject({ code: 1009 });
  });

  it("declines unsupported offers, and the client connects without it", async () => {
    await using server = await compressing();
    for (const offer of [
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; server_max_window_bits=9",
    ]) {
      await using raw = await RawSocket.connect(server.ws());
      const { status, headers } = await raw.request("/plugin/ws", { "Sec-WebSocket-Extensions": offer });
      expect([status, headers.get("sec-websocket-extensions")]).toEqual([101, undefined]);
    }
  });

  it.for([
    ["permessage-deflate", "permessage-deflate; client_no_context_takeover"],
    ["permessage-deflate; client_max_window_bits", "permessage-deflate; client_no_context_takeover"],
    [
      "permessage-deflate; server_max_window_bits=15",
      "permessage-deflate; server_max_window_bits=12; client_no_context_takeover",
    ],
    [
      "permessage-deflate; server_max_window_bits=10, permessage-deflate",
      "permessage-deflate; client_no_context_takeover",
    ],
  ] as const)("names a window for the server only if the client has: %s", async ([offer, expected]) => {
    await using server = await compressing();
    await using raw = await RawSocket.connect(server.ws());
    const { status, headers } = await raw.request("/plugin/ws", { "Sec-WebSocket-Extensions": offer });
    expect([status, headers.get("sec-websocket-extensions")]).toEqual([101, expected]);
  });

  it("declines malformed and unknown offers, and the client connects without it", async () => {
    await using server = await compressing();
    for (const offer of ["permessage-deflate; x=1", "permessage-deflate; server_max_window_bits", "x-deflate", ";;"]) {
      await using raw = await RawSocket.connect(server.ws());
      const { status, headers } = await raw.request("/plugin/ws", { "Sec-WebSocket-Extensions": offer });
      expect([status, headers.get("sec-websocket-extensions")]).toEqual([101, undefined]);
    }
  });

  it("sends a fraction of the bytes", async () => {
    const bytes = async (perMessageDeflate: boolean) => {
      await using server = await compressing();
      await using client = await RecordingSocket.open(server.ws("/plugin/ws?since=0"), { perMessageDeflate });
      await bake(server, 20);
      await client.until(() => client.events.at(-1)?.seq === server.flock.log.head, "everything");
      return server.websocket.stats().bytesSent;
    };
    expect(await bytes(true)).toBeLessThan((await bytes(false)) / 3);
  });

  it("works with Python's websockets, which requests a small window", async () => {
    await using server = await compressing();
    const program = fileURLToPath(new URL("../seed/programs/client.py", import.meta.url));
    await using python = runPython(program, [server.ws()]);
    await python.line(/^open$/);
    await bake(server, 4);
    for (let i = 0; i < 4; i++) await python.line(new RegExp(`^output truffle ${i}$`));
    expect(server.websocket.stats().bytesSent).toBeLessThan(3_000);
  });
});
