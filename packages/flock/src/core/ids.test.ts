import { describe, expect, it } from "vitest";
import { newId } from "./ids.ts";

describe("a new id", () => {
  it("is a UUID of version 7 that begins with the time", () => {
    const before = Date.now();
    const id = newId();
    const after = Date.now();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  });

  it("is unlike any other, and random in every digit that is not time, version or dash", () => {
    const ids = Array.from({ length: 20_000 }, newId);
    expect(new Set(ids).size).toBe(ids.length);
    for (let place = 15; place < 36; place++) {
      const digits = new Set(ids.map((id) => id[place]));
      expect(digits.size).toBe(place === 18 || place === 23 ? 1 : place === 19 ? 4 : 16);
    }
  });
});
