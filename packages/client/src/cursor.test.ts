import type { ControlMessage } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { hello, outputEvent } from "../fake-socket.ts";
import { Cursor, isEvent } from "./cursor.ts";

const gap = (to_seq: number, reason: "expired" | "epoch"): ControlMessage => ({
  type: "gap",
  from_seq: 1,
  to_seq,
  reason,
});
const caughtUp = (seq: number): ControlMessage => ({ type: "caught_up", seq });

describe("Cursor", () => {
  it("starts at the head if no position was requested", () => {
    const cursor = new Cursor();
    expect(cursor.position).toBeUndefined();
    cursor.advance(hello("one", 7));
    expect(cursor.position).toEqual({ since: 7, epoch: "one" });
    expect(cursor.seq).toBe(7);
  });

  it("keeps a requested position until the server confirms one", () => {
    const cursor = new Cursor({ since: -50 });
    cursor.advance(hello("one", 100));
    expect(cursor.position).toEqual({ since: -50 });
    expect(cursor.seq).toBeUndefined();
    expect(cursor.advance(outputEvent(51))).toBe(true);
    expect(cursor.position).toEqual({ since: 51, epoch: "one" });
  });

  it("accepts each event once", () => {
    const cursor = new Cursor({ since: 0 });
    cursor.advance(hello("one"));
    expect([1, 2, 2, 1, 3].map((seq) => cursor.advance(outputEvent(seq)))).toEqual([true, true, false, false, true]);
    expect(cursor.seq).toBe(3);
  });

  it("keeps the old epoch until the gap of the new one arrives, so that an early disconnect loses no gap", () => {
    const cursor = new Cursor({ since: 0 });
    cursor.advance(hello("one"));
    cursor.advance(outputEvent(9));
    cursor.advance(hello("two", 4));
    expect(cursor.position).toEqual({ since: 9, epoch: "one" });
    cursor.advance(gap(0, "epoch"));
    expect(cursor.position).toEqual({ since: 0, epoch: "two" });
    expect(cursor.advance(outputEvent(1))).toBe(true);
  });

  it("moves past an expired range, but never back within one log", () => {
    const cursor = new Cursor({ since: 3, epoch: "one" });
    cursor.advance(hello("one", 100));
    cursor.advance(gap(90, "expired"));
    expect(cursor.seq).toBe(90);
    cursor.advance(gap(50, "expired"));
    cursor.advance(caughtUp(80));
    expect(cursor.seq).toBe(90);
  });

  it("does not move back before a requested position", () => {
    const cursor = new Cursor({ since: 60 });
    cursor.advance(hello("one", 100));
    cursor.advance(gap(50, "expired"));
    expect(cursor.seq).toBe(60);
  });

  it("moves to the seq of caught_up, past events that the filter or the principal excludes", () => {
    const cursor = new Cursor({ since: 0 });
    cursor.advance(hello("one", 8));
    cursor.advance(caughtUp(8));
    expect(cursor.position).toEqual({ since: 8, epoch: "one" });
  });

  it("does not move for messages without a position in the log", () => {
    const cursor = new Cursor({ since: 0 });
    cursor.advance(hello("one"));
    cursor.advance(outputEvent(5));
    const others: ControlMessage[] = [
      { type: "reply", id: 1, ok: true, seq: 9 },
      { type: "ping", timestamp: "2026-01-01T00:00:00Z", head: 9 },
      { type: "error", code: "x", message: "y" },
      { type: "goodbye", reason: "r", retry_after_ms: 1 },
    ];
    for (const message of others) {
      expect(cursor.advance(message)).toBe(true);
      expect(cursor.seq).toBe(5);
    }
  });
});

describe("isEvent", () => {
  it("does not take reply and caught_up for events", () => {
    expect(isEvent(outputEvent(1))).toBe(true);
    expect(isEvent(caughtUp(1))).toBe(false);
    expect(isEvent({ type: "reply", id: 1, ok: true, seq: 1 })).toBe(false);
    expect(isEvent(hello("one"))).toBe(false);
  });
});
