import { type EventFacts, type Filter, matches } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogBuffer } from "./log-buffer.ts";

const facts = (agent: string, correlationId: string): EventFacts => ({
  type: "streaming_output",
  agent,
  correlationId,
  artifactType: undefined,
  runId: undefined,
});

/** Decodes frames by RFC 6455, independently of the implementation. */
function unframe(frames: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < frames.length; ) {
    expect(frames[at]).toBe(0x81);
    let length = frames[at + 1] as number;
    at += 2;
    if (length === 126) {
      length = frames.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(frames.readBigUInt64BE(at));
      at += 8;
    }
    texts.push(frames.toString("utf8", at, at + length));
    at += length;
  }
  return texts;
}

const event = fc.record({
  agent: fc.constantFrom("a", "b", "c"),
  text: fc.oneof(
    { weight: 20, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
    { weight: 3, arbitrary: fc.integer({ min: 100, max: 140 }).map((n) => "x".repeat(n)) },
    { weight: 3, arbitrary: fc.integer({ min: 40, max: 130 }).map((n) => "€".repeat(n)) },
    { weight: 2, arbitrary: fc.integer({ min: 21_800, max: 21_900 }).map((n) => "€".repeat(n)) },
    { weight: 2, arbitrary: fc.integer({ min: 65_400, max: 65_600 }).map((n) => "ü".repeat(n)) },
    { weight: 1, arbitrary: fc.integer({ min: 130_000, max: 300_000 }).map((n) => "z".repeat(n)) },
  ),
});
const filter: fc.Arbitrary<Filter | undefined> = fc.constantFrom(
  undefined,
  { agents: ["a"] },
  { agents: ["b", "c"] },
  { agents: ["other"] },
);

describe("LogBuffer reads", () => {
  it("return the same as a list of the events, for any steps", () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 60 }),
        filter,
        fc.integer({ min: 1, max: 400_000 }),
        fc.nat(),
        (events, wanted, maxBytes, start) => {
          const buffer = new LogBuffer(Number.POSITIVE_INFINITY);
          const list = events.map(({ agent, text }, index) => ({
            seq: index + 1,
            json: JSON.stringify(text),
            facts: facts(agent, "c"),
          }));
          for (const one of list) buffer.append(one);
          let cursor = list.length === 0 ? 0 : start % list.length;
          const expected = list
            .filter((one) => one.seq > cursor && (!wanted || matches(wanted, one.facts)))
            .map(({ json }) => json);
          const received: string[] = [];
          while (cursor < buffer.head) {
            const batch = buffer.read(cursor, buffer.head, wanted, maxBytes);
            const texts = unframe(batch.frames);
            expect(texts.length).toBe(batch.events);
            if (texts.length > 1) expect(batch.frames.length).toBeLessThanOrEqual(maxBytes);
            expect(batch.seq).toBeGreaterThan(cursor);
            received.push(...texts);
            cursor = batch.seq;
          }
          expect(received).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("do not go beyond `until`", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 30 }), filter, fc.nat(), (events, wanted, end) => {
        const buffer = new LogBuffer(Number.POSITIVE_INFINITY);
        for (const [index, { agent, text }] of events.entries())
          buffer.append({ seq: index + 1, json: JSON.stringify(text), facts: facts(agent, "c") });
        const until = end % (events.length + 1);
        let cursor = 0;
        do cursor = buffer.read(cursor, until, wanted, Number.POSITIVE_INFINITY).seq;
        while (cursor < until);
        expect(cursor).toBe(until);
      }),
      { numRuns: 60 },
    );
  });

  it("find where the newest N matching events begin", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), filter, fc.nat({ max: 50 }), (events, wanted, count) => {
        const buffer = new LogBuffer(Number.POSITIVE_INFINITY);
        for (const [index, { agent }] of events.entries())
          buffer.append({ seq: index + 1, json: "{}", facts: facts(agent, "c") });
        const start = buffer.beforeNewest(count, buffer.head, wanted);
        const matching = events.filter(({ agent }) => !wanted || matches(wanted, facts(agent, "c"))).length;
        let found = 0;
        for (let at = start.after; at < buffer.head; ) {
          const batch = buffer.read(at, buffer.head, wanted, 1_000);
          found += batch.events;
          at = batch.seq;
        }
        expect(found).toBe(Math.min(count, matching));
        expect(start.missing).toBe(Math.max(0, count - matching));
      }),
    );
  });

  it("gather any selection of seqs in order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.boolean()), { maxLength: 40 }), (events) => {
        const buffer = new LogBuffer(Number.POSITIVE_INFINITY);
        for (const [index, [{ text }]] of events.entries())
          buffer.append({ seq: index + 1, json: JSON.stringify(text), facts: facts("a", "c") });
        const picked = events.flatMap(([{ text }, pick], index) =>
          pick ? [{ seq: index + 1, json: JSON.stringify(text) }] : [],
        );
        expect(unframe(buffer.gather(picked.map(({ seq }) => seq)))).toEqual(picked.map(({ json }) => json));
      }),
      { numRuns: 60 },
    );
  });
});

describe("LogBuffer drops the oldest events", () => {
  it("and stays within its limit, except for the newest segment", () => {
    const buffer = new LogBuffer(1024 * 1024);
    const json = JSON.stringify("y".repeat(1_000));
    for (let seq = 1; seq <= 5_000; seq++) buffer.append({ seq, json, facts: facts("a", "c") });
    expect(buffer.bytes).toBeLessThanOrEqual(1024 * 1024);
    expect(buffer.oldest).toBeGreaterThan(3_500);
    expect(buffer.head).toBe(5_000);
    let events = 0;
    for (let seq = buffer.oldest - 1; seq < buffer.head; ) {
      const batch = buffer.read(seq, buffer.head, undefined, Number.POSITIVE_INFINITY);
      events += unframe(batch.frames).length;
      seq = batch.seq;
    }
    expect(events).toBe(5_000 - buffer.oldest + 1);
  });

  it("but keeps the newest event of any size", () => {
    const buffer = new LogBuffer(10);
    buffer.append({ seq: 1, json: '"a"', facts: facts("a", "c") });
    buffer.append({ seq: 2, json: JSON.stringify("b".repeat(400_000)), facts: facts("a", "c") });
    expect(buffer.oldest).toBe(2);
    expect(unframe(buffer.read(1, 2, undefined, 1).frames)).toHaveLength(1);
  });

  it("and does not change what a reader holds", () => {
    const buffer = new LogBuffer(10);
    buffer.append({ seq: 1, json: '"first"', facts: facts("a", "c") });
    const { frames } = buffer.read(0, 1, undefined, 1_000);
    for (let seq = 2; seq < 3_000; seq++)
      buffer.append({ seq, json: JSON.stringify("z".repeat(1_000)), facts: facts("a", "c") });
    expect(unframe(frames)).toEqual(['"first"']);
  });
});
