import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkJson, MAX_JSON_DEPTH, parseUntrustedJson } from "./untrusted-json.ts";

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

  it("refuses integers that would change, with their path, and keeps all others", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (integer) => {
        const text = `{"a":[{"note":"1e999, {","b":${integer}}]}`;
        if (BigInt(Number(integer)) === integer) {
          const { a } = parseUntrustedJson(text) as { a: [{ b: number }] };
          expect(BigInt(a[0].b)).toBe(integer);
        } else {
          expect(() => parseUntrustedJson(text)).toThrow(`a.0.b: the number ${integer} cannot be represented exactly`);
        }
      }),
    );
  });

  it.for(["1e400", "-1e400", "9".repeat(400), "9007199254740993", `${"9".repeat(1_000_000)}`])(
    "refuses a number beyond the range of numbers",
    (number) => {
      expect(() => parseUntrustedJson(number)).toThrow(/^the value: the number .* Send it as a string\.$/);
      expect(() => parseUntrustedJson(`[[1,2],{"x":{"y":[0,${number}]}}]`)).toThrow(/^1\.x\.y\.1: /);
    },
  );

  it.for(["1e20", "100000000000000000000", "0.1234567890123456789", "1.5e-400", "-0", "123456789012345"])(
    "accepts %s",
    (number) => {
      expect(parseUntrustedJson(`[${number}]`)).toEqual(JSON.parse(`[${number}]`));
    },
  );

  it("rejects text that is not JSON, such as an unterminated string", () => {
    for (const text of ['"', '"\\', "{", "]]]", ""]) expect(() => parseUntrustedJson(text)).toThrow(SyntaxError);
  });

  it("checks ten megabytes of any kind in linear time", () => {
    const size = 10_000_000;
    for (const text of [
      "[]".repeat(size / 2),
      `"${"\\".repeat(size)}"`,
      '"\\"'.repeat(size / 3),
      "9".repeat(size).replace(/.{10}/g, "$&,"),
    ]) {
      const started = performance.now();
      checkJson(text);
      // Quadratic time would be minutes.
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });
});
