import { describe, expect, it } from "vitest";
import { preview } from "./preview.ts";

describe("preview summarizes a payload in one line", () => {
  it.for([
    [{ id: 1, name: "Margherita", title: "The menu" }, "The menu"],
    [{ size: 3, customer: "Ada", toppings: ["basil"] }, 'size: 3, customer: Ada, toppings: ["basil"]'],
    [{}, ""],
    ["just text", "just text"],
    [undefined, ""],
    [null, ""],
    [[1, 2], "[1,2]"],
  ] as const)("%j", ([payload, text]) => {
    expect(preview(payload)).toBe(text);
  });
});
