import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOf } from "./message-text.ts";

const message = (payload: unknown) => ({ type: "publish", payload });

describe("textOf", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  it.for<[string, unknown, (string | number)[], RegExp]>([
    ["NaN", { a: [1, Number.NaN] }, ["payload", "a", 1], /`NaN` is not JSON/],
    ["Infinity", Number.POSITIVE_INFINITY, ["payload"], /`Infinity` is not JSON/],
    ["a bigint", { a: { b: 1n } }, ["payload", "a", "b"], /a bigint is not JSON/],
    ["a function", { a: () => 1 }, ["payload", "a"], /a function/],
    ["a symbol", [Symbol("s")], ["payload", 0], /a symbol/],
    ["a Map", { a: new Map() }, ["payload", "a"], /a Map/],
    ["a Set", new Set([1]), ["payload"], /a Set/],
    ["a typed array", { a: new Uint8Array(1) }, ["payload", "a"], /a Uint8Array/],
    ["a promise", Promise.resolve(1), ["payload"], /a Promise/],
    ["an error", { e: new Error("x") }, ["payload", "e"], /a Error/],
    ["undefined in an array", [undefined], ["payload", 0], /`undefined`/],
    ["a cycle", { a: cycle }, ["payload", "a", "self"], /circular/i],
  ])("refuses %s with its path", ([, payload, path, why]) => {
    expect(() => textOf(message(payload))).toThrow(
      expect.objectContaining({
        code: "invalid_message",
        message: expect.stringMatching(/^Command `publish` failed: `payload.*\. Send what JSON can express\.$/),
        issues: [{ path, message: expect.stringMatching(why) }],
      }),
    );
  });

  it("keeps every JSON value, and leaves out undefined fields", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        expect(textOf({ ...message(payload), tags: undefined })).toBe(JSON.stringify(message(payload)));
      }),
    );
  });

  it("sends dates as text, and half surrogate pairs as they are", () => {
    const payload = { at: new Date(0), text: "\ud83c" };
    expect(JSON.parse(textOf(message(payload))).payload).toEqual({ at: "1970-01-01T00:00:00.000Z", text: "\ud83c" });
  });
});
