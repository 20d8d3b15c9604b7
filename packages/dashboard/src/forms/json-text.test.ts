import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson, spotOf } from "./json-text.ts";

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe("parses JSON like JSON.parse", () => {
  it("returns the value, or the position and reason of the error", () => {
    const typed = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', ",", "}", "/", "x", "\n"))
      .map(([text, at, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + 1);
      });
    fc.assert(
      fc.property(typed, (text) => {
        const read = readJson(text);
        if ("value" in read) {
          expect(read.value).toEqual(parsed(text));
          return;
        }
        expect(parsed(text)).toBeUndefined();
        const { line, column, offset, message } = read.problem;
        const lines = text.split("\n");
        expect(message).not.toBe("");
        expect(lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1).toBe(offset);
        expect(offset).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it.for([
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, "expected a comma"],
    ['{ "a": basil }', 1, 8, "not a value: strings need double quotes"],
    ['{ "a": [1, 2 }', 1, 14, "expected a comma"],
    ["", 1, 1, "expected a value"],
    ['{ "a": 1 } // done', 1, 12, "JSON does not allow comments"],
  ] as const)("%j: line %i, column %i: %s", ([text, line, column, message]) => {
    expect(readJson(text)).toMatchObject({ problem: { line, column, message } });
  });
});

describe("finds the position of a field's error in the text", () => {
  const text = '{\n  "name": "Al",\n  "toppings": [\n    { "grams": 5 }\n  ]\n}';

  it("at the field's value", () => {
    expect(spotOf(text, ["toppings", 0, "grams"])).toMatchObject({ line: 4, column: 16, length: 1 });
    expect(spotOf(text, ["toppings", "0"])).toMatchObject({ line: 4, column: 5 });
  });

  it("at the parent of a missing field", () => {
    expect(spotOf(text, ["toppings", 0, "name"])).toMatchObject({ line: 4, column: 5 });
    expect(spotOf(text, ["price"])).toMatchObject({ line: 1, column: 1 });
  });
});
