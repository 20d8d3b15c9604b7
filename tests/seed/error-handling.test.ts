import { describe, expect, it } from "vitest";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { OPCODE, RawSocket } from "../support/raw-socket.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

describe("Error Handling", () => {
  it("refuses an unknown endpoint with 404 and an error body", async () => {
    await using server = await startServer();
    expect(await RecordingSocket.refused(server.ws("/plugin/nowhere"))).toMatchObject({
      status: 404,
      body: { error: { code: "not_found" } },
    });
  });

  it.for([
    ["no key", { "Sec-WebSocket-Key": null }],
    ["an invalid key", { "Sec-WebSocket-Key": "short" }],
    ["no version", { "Sec-WebSocket-Version": null }],
    ["an old version", { "Sec-WebSocket-Version": "7" }],
  ] as const)("refuses a handshake with %s and keeps serving", async ([, changed]) => {
    await using server = await startServer();
    await using broken = await RawSocket.connect(server.ws());
    const { status } = await broken.request("/plugin/ws", changed);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    await (await server.connect()).close();
  });

  it("serves other clients while a handshake is incomplete", async () => {
    await using server = await startServer();
    await using slow = await RawSocket.connect(server.ws());
    slow.write("GET /plugin/ws HTTP/1.1\r\nHost: ");
    await (await server.connect()).close();
  });

  it.for([
    ["a frame without a mask", { masked: false }, 1002],
    ["reserved bits", { reserved: 7 }, 1002],
    ["an unknown opcode", { opcode: 5 }, 1002],
    ["a continuation without a start", { opcode: OPCODE.continuation }, 1002],
  ] as const)("closes the connection after %s with the code of RFC 6455", async ([, options, code]) => {
    await using server = await startServer();
    const healthy = await server.connect();
    await using broken = await RawSocket.open(server.ws());
    await broken.message("hello");
    broken.sendFrame("x", options);
    expect(await broken.closeFrame()).toMatchObject({ code });
    expect((await healthy.command({ id: 1, type: "ping" })).ok).toBe(true);
    await healthy.close();
  });

  it("closes the connection after invalid UTF-8 with 1007", async () => {
    await using server = await startServer();
    await using broken = await RawSocket.open(server.ws());
    await broken.message("hello");
    broken.sendFrame(Buffer.from([0xc3, 0x28]));
    expect(await broken.closeFrame()).toMatchObject({ code: 1007 });
  });

  it("delivers every event to healthy clients while others fail", async () => {
    await using server = await startServer({ flock: pizzeria() });
    const healthy = await server.connect();
    const raw = () => RawSocket.open(server.ws());
    await using stalled = await raw();
    await using vanished = await raw();
    await using reset = await raw();
    await using broken = await raw();
    stalled.stall();
    vanished.vanish();
    reset.reset();
    broken.sendFrame("x", { masked: false });
    for (let i = 0; i < 20; i++) await server.flock.publish(Idea({ description: `${i}` }));
    await server.flock.runUntilIdle();
    const { head } = server.flock.stats();
    await healthy.until(() => healthy.events.at(-1)?.seq === head, "the newest event");
    const seqs = healthy.events.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    await healthy.close();
  });
});
