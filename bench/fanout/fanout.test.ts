import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader } from "./frames.ts";
import { PEERS, readText, textOf } from "./messages.ts";
import { median, percentile } from "./statistics.ts";
import { measure } from "./suite.ts";

/** A text frame as a server writes it. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, 0, 0]);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

describe("the load generator", () => {
  it("reads every frame, however the stream is cut", () => {
    const text = fc.string({ maxLength: 300 });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (texts, cuts) => {
          const stream = Buffer.concat(texts.map(frame));
          const read: string[] = [];
          const reader = new FrameReader((_, payload) => read.push(payload.toString()));
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % cuts.length] as number;
            reader.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(read).toEqual(texts);
        },
      ),
    );
  });

  it("finds the number and the time in an event, and nothing in other messages", () => {
    expect(readText(Buffer.from(JSON.stringify({ content: textOf(12) })))).toMatchObject({
      n: 12,
      at: expect.any(Number),
    });
    expect(readText(Buffer.from('{"type":"hello"}'))).toBeUndefined();
  });
});

describe("the figures", () => {
  it("are percentiles and medians", () => {
    const values = Array.from({ length: 100 }, (_, i) => i);
    expect([percentile(values, 0.5), percentile(values, 0.99), median([3, 1, 2])]).toEqual([50, 99, 2]);
  });
});

describe("each server of the comparison", () => {
  it.for(PEERS)("%s delivers every event to every client, once and in order", async (peer) => {
    const figures = await measure(peer, { clients: 3, events: 20, perSecond: null });
    expect(figures.deliveriesPerCpuSecond).toBeGreaterThan(0);
  });
});
