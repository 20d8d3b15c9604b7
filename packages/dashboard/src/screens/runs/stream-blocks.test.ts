import { describe, expect, it } from "vitest";
import { blocksOf } from "./stream-blocks.ts";

const line = `${"word ".repeat(40)}\n`;

describe("a long stream is painted in blocks", () => {
  it.for([
    ["nothing", ""],
    ["a word", "word"],
    ["a line", "a\n"],
    ["many lines", line.repeat(500)],
    ["one endless line", "x".repeat(20_000)],
  ])("%s: nothing is lost and nothing added", ([, text]) => {
    expect(blocksOf(text as string).join("\n")).toBe(text);
  });

  it("what is added changes the last block only", () => {
    const text = line.repeat(500);
    const before = blocksOf(text);
    const after = blocksOf(`${text}and more`);
    expect(before.length).toBeGreaterThan(10);
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  });
});
