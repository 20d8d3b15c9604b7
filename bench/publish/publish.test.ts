import { describe, expect, it } from "vitest";
import { run } from "./suite.ts";

describe("the publish suite", () => {
  it("measures every store beside bare inserts, and publishing among many agents", async () => {
    const { rows, ratios } = await run({ quick: true });
    expect(rows).toHaveLength(7);
    for (const { perCpuSecond } of rows) expect(perCpuSecond).toBeGreaterThan(0);
    expect(Object.values(ratios).every(Number.isFinite)).toBe(true);
  }, 120_000);
});
