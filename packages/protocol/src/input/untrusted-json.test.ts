import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkJsonDepth, MAX_JSON_DEPTH, parseUntrustedJson } from "./untrusted-json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("parsing JSON from outside", () => {
  it("accepts the maximum depth and names the limit beyond it", () => {
    expect(() => parseUntrustedJson(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(() => parseUntrustedJson(nested(MAX_JSON_DEPTH + 1))).toThrow(`the limit is ${MAX_JSON_DEPTH} levels`);
    expect(() => parseUntrustedJson(`${'{"a":'.repeat(129)}1${"}".repeat(129)}`)).toThrow(/nested too deeply/);
  });

  it("does not count brackets inside strings, with any escapes", () => {
    const brackets = "[{".repeat(1_000);
    for (const text of [brackets, `\\${brackets}`, `"${brackets}`, `\\"${brackets}\\`]) {
      expect(parseUntrustedJson(JSON.stringify([text, text]))).toEqual([text, text]);
    }
  });

  it("returns what JSON.parse returns for any JSON value", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseUntrustedJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("rejects text that is not JSON, such as an unterminated string", () => {
    for (const text of ['"', '"\\', "{", "]]]", ""]) expect(() => parseUntrustedJson(text)).toThrow(SyntaxError);
  });

  it("checks ten megabytes of any kind in linear time", () => {
    const size = 10_000_000;
    for (const text of ["[]".repeat(size / 2), `"${"\\".repeat(size)}"`, '"\\"'.repeat(size / 3)]) {
      const started = performance.now();
      checkJsonDepth(text);
      // Quadratic time would be minutes.
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });
});
