import { settleVisibility } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { audience, bytes, clock, duration } from "./format.ts";

describe("formatted numbers", () => {
  it.for([
    [0, "0 ms"],
    [12.4, "12 ms"],
    [999.7, "1.0 s"],
    [3_449, "3.4 s"],
    [59_960, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [119_700, "2 min 0 s"],
  ] as const)("%d ms is %s", ([ms, text]) => {
    expect(duration(ms)).toBe(text);
  });

  it.for([
    [120, "120 bytes"],
    [3_449, "3.4 kB"],
    [999_960, "1.0 MB"],
    [52_428_800, "52.4 MB"],
  ] as const)("%d bytes are %s", ([count, text]) => {
    expect(bytes(count)).toBe(text);
  });

  it("a time of day to the millisecond", () => {
    expect(clock(new Date(2026, 0, 1, 9, 5, 7, 42).toISOString())).toBe("09:05:07.042");
  });
});

describe("describes who may see an artifact", () => {
  it.for([
    [{ kind: "public" }, "everyone"],
    [{ kind: "private", agents: ["a", "b"] }, "a, b"],
    [{ kind: "private", agents: [] }, "owner only"],
    [{ kind: "labelled", required_labels: ["x", "y"] }, "users cleared for x and y"],
    [{ kind: "tenant", tenant_id: "acme" }, "tenant acme"],
    [{ kind: "after", ttl_ms: 1_000 }, "owner only until 1970-01-01T00:00:01.000Z, then everyone"],
  ] as const)("%j", ([visibility, words]) => {
    expect(audience(settleVisibility(visibility as Parameters<typeof settleVisibility>[0], 0))).toBe(words);
  });
});
