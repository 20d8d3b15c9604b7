import { describe, expect, it } from "vitest";
import { chainOf, checked, step } from "./steps.ts";

/** Runs a chain of three a number of times; `skipped` of its agents are never called. */
function chain(skipped: number) {
  return checked((workflows) => {
    for (let i = 0; i < workflows; i++) for (let n = 0; n < 3 - skipped; ) n = step(n);
  }, chainOf(3));
}

describe("checking the work of a program", () => {
  it("accepts a program that calls every agent with the previous result", async () => {
    await expect(chain(0)(10)).resolves.toBeUndefined();
  });

  it("rejects a program that skips an agent", async () => {
    await expect(chain(1)(10)).rejects.toThrow("10 workflows made 20 steps with a sum of 10, not 30 with 30");
  });

  it("rejects a program that passes wrong numbers", async () => {
    const zeros = checked(() => void [0, 0, 0].map(step), chainOf(3));
    await expect(zeros(1)).rejects.toThrow("3 steps with a sum of 0, not 3 with 3");
  });
});
