import { execFileSync } from "node:child_process";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asCurl, asTypeScript, literal } from "./copy-as.ts";

const url = "http://127.0.0.1:8000/api/plugin/publish";

/** Prints the arguments that a shell passes to a program, one per line. */
function argumentsIn(command: string): string[] {
  const curl = `curl() { printf '%s\\0' "$@"; case "$*" in *@-*) cat;; esac; }`;
  const out = execFileSync("sh", { input: `${curl}\n${command}` });
  return out.toString().split("\0");
}

describe("copied commands publish the same payload", () => {
  it("as TypeScript", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        const value = JSON.parse(JSON.stringify(payload));
        const read = runInNewContext(`JSON.stringify(${literal(value, 0)})`);
        expect(JSON.parse(read)).toEqual(value);
      }),
    );
  });

  it("as a shell command, with any quotes", () => {
    const quotes = fc.string({ unit: fc.constantFrom("'", '"', "\\", "$(x)", "`", "\n", "é", " ", "!") });
    fc.assert(
      fc.property(fc.record({ text: quotes, list: fc.array(quotes) }), (payload) => {
        const given = argumentsIn(asCurl({ type: "Pizza", payload, url }));
        expect(given.slice(0, 5)).toEqual(["-X", "POST", url, "-H", "Content-Type: application/json"]);
        expect(JSON.parse(given[6] as string)).toEqual({ artifact_type: "Pizza", payload });
      }),
      { numRuns: 40 },
    );
  });

  it("a payload too long for a command line uses standard input", () => {
    const payload = { text: "END\nit's ".repeat(30_000) };
    const given = argumentsIn(asCurl({ type: "Pizza", payload, tags: ["big"], url }));
    expect(given).toHaveLength(8);
    expect(JSON.parse(given[7] as string)).toEqual({ artifact_type: "Pizza", payload, tags: ["big"] });
  });
});

describe("TypeScript is formatted", () => {
  it("on one line if it fits, else with one entry per line", () => {
    const payload = { name: "Margherita", toppings: ["basil", "mozzarella"], "max-age": 1 };
    expect(asTypeScript({ type: "Pizza", payload, url })).toBe(
      'await flock.publish(Pizza({ name: "Margherita", toppings: ["basil", "mozzarella"], "max-age": 1 }));',
    );
    const long = { ...payload, text: "x".repeat(40) };
    expect(asTypeScript({ type: "Pizza", payload: long, tags: ["a"], url })).toBe(
      `await flock.publish(Pizza({\n  name: "Margherita",\n  toppings: ["basil", "mozzarella"],\n  "max-age": 1,\n  text: "${"x".repeat(40)}",\n}), { tags: ["a"] });`,
    );
  });

  it("looks up a type whose name is not an identifier", () => {
    expect(asTypeScript({ type: "big pizza", payload: {}, url })).toBe(
      'await flock.publish(flock.types.get("big pizza")!({}));',
    );
  });
});
