import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventReader, eventOf, textOf } from "../event.ts";
import { clientFrame, FrameReader } from "./frames.ts";
import { Latencies } from "./latencies.ts";

/** Returns a text frame of a server. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, 0, 0]);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

describe("load generator", () => {
  it("reads every frame of an arbitrarily split stream", () => {
    const text = fc.string({ maxLength: 300 });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (texts, cuts) => {
          const stream = Buffer.concat(texts.map(frame));
          const read: string[] = [];
          const reader = new FrameReader((_, data, start, end) => read.push(data.toString("utf8", start, end)));
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

  it("masks its frames", () => {
    expect(clientFrame("hi")).toEqual(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    expect(clientFrame("x".repeat(300)).subarray(0, 4)).toEqual(Buffer.from([0x81, 0xfe, 1, 44]));
  });

  it("finds number and time in an event at any position, and ignores other messages", () => {
    const reader = new EventReader();
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: fc.constantFrom("a", "1", "@") }), (n, before) => {
        const data = Buffer.from(`${before}${JSON.stringify(eventOf(n, textOf(n)))}`);
        expect(reader.numberIn(data, before.length, data.length)).toBe(n);
        expect(Math.abs(reader.timeIn(data) - Date.now())).toBeLessThan(60_000);
      }),
    );
    const other = Buffer.from(`{"type":"hello"}${textOf(1)}`);
    expect(reader.numberIn(other, 0, 16)).toBe(-1);
  });

  it("computes percentiles within one percent", () => {
    const latencies = new Latencies();
    expect(latencies.percentile(0.5)).toBeNull();
    for (let ms = 1; ms <= 1_000; ms++) latencies.add(ms);
    for (const part of [0, 0.5, 0.99, 1]) {
      const expected = 1 + 999 * part;
      expect(Math.abs((latencies.percentile(part) as number) / expected - 1)).toBeLessThan(0.01);
    }
  });
});
