import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { artifactVisibility, LASTING } from "../../access-arbitraries.ts";
import {
  eventVisibilitySchema,
  PUBLIC,
  settleVisibility,
  visibilityRequestSchema,
  visibilitySchema,
} from "./visibility.ts";

describe("settleVisibility", () => {
  it("returns a visibility that the wire accepts, and leaves a settled one as it is", () => {
    fc.assert(
      fc.property(artifactVisibility, fc.nat(), (one, now) => {
        const kept = settleVisibility(one, now);
        expect(visibilitySchema.parse(kept)).toEqual(kept);
        expect(settleVisibility(kept, now)).toEqual(kept);
      }),
    );
  });

  it("keeps the meaning of each kind", () => {
    for (const one of LASTING) expect(settleVisibility(one, 0)).toEqual(one);
    expect(settleVisibility({ kind: "public" }, 0)).toBe(PUBLIC);
  });

  it("sorts names and removes duplicates", () => {
    expect(settleVisibility({ kind: "labelled", required_labels: ["y", "x", "y"] }, 0)).toEqual({
      kind: "labelled",
      required_labels: ["x", "y"],
    });
    expect(settleVisibility({ kind: "private", agents: ["b", "a", "b"] }, 0)).toEqual({
      kind: "private",
      agents: ["a", "b"],
    });
  });

  const then = { kind: "tenant", tenant_id: "t" } as const;
  const at = "1970-01-01T00:00:05.000Z";

  it("turns a duration into a time, and a time of any zone into UTC", () => {
    expect(settleVisibility({ kind: "after", ttl_ms: 4_000, then }, 1_000)).toEqual({ kind: "after", at, then });
    const until = settleVisibility({ kind: "after", at: "1970-01-01T02:00:05+02:00" }, 1_000);
    expect(Object.entries(until)).toEqual(Object.entries({ kind: "after", at }).concat([["then", PUBLIC]] as never));
  });

  it("applies the later visibility at its time, not before", () => {
    expect(settleVisibility({ kind: "after", at, then }, 4_999)).toEqual({ kind: "after", at, then });
    expect(settleVisibility({ kind: "after", at, then }, 5_000)).toEqual(then);
    expect(settleVisibility({ kind: "after", at }, 5_001)).toBe(PUBLIC);
    expect(settleVisibility({ kind: "after", ttl_ms: 0, then }, 7)).toEqual(then);
  });

  it("clamps a time beyond the last date that JavaScript can represent", () => {
    expect(settleVisibility({ kind: "after", ttl_ms: 8.64e15 }, 1_000)).toMatchObject({
      at: new Date(8.64e15).toISOString(),
    });
  });
});

describe("the visibility schemas", () => {
  it("accept exactly one of at and ttl_ms", () => {
    const parse = (after: object) => visibilityRequestSchema.safeParse({ kind: "after", ...after });
    expect(parse({ ttl_ms: 1 }).data).toHaveProperty("then", { kind: "public" });
    expect(parse({ at: "2026-01-01T00:00:00+01:00" }).success).toBe(true);
    expect(parse({}).error?.issues[0]?.message).toBe("say either at or ttl_ms");
    expect(parse({ ttl_ms: 1, at: "2026-01-01T00:00:00Z" }).success).toBe(false);
    expect(parse({ ttl_ms: -1 }).success).toBe(false);
  });

  it.for([visibilitySchema, visibilityRequestSchema, eventVisibilitySchema])(
    "reject what could widen access",
    (schema) => {
      const rejected = [
        { kind: "labelled", required_labels: [] },
        { kind: "labelled", required_labels: [""] },
        { kind: "tenant", tenant_id: "" },
        { kind: "tenant" },
        { kind: "private" },
        { kind: "private", agents: [""] },
        { kind: "private", agents: Array.from({ length: 1_001 }, (_, index) => `${index}`) },
        { kind: "public", agents: ["a"] },
        { kind: "tomorrow" },
      ];
      for (const one of rejected) expect(schema.safeParse(one).success, JSON.stringify(one)).toBe(false);
      for (const one of LASTING) {
        expect(schema.safeParse(one).success, JSON.stringify(one)).toBe(true);
        expect(schema.safeParse({ ...one, unless: "x" }).success, JSON.stringify(one)).toBe(false);
      }
    },
  );

  it("reject unknown fields of a time and of a combination", () => {
    const until = settleVisibility({ kind: "after", ttl_ms: 1 }, 0);
    const all = { kind: "all", of: [PUBLIC] };
    for (const [schema, one] of [
      [visibilitySchema, until],
      [visibilityRequestSchema, until],
      [eventVisibilitySchema, all],
    ] as const) {
      expect(schema.safeParse(one).success).toBe(true);
      expect(schema.safeParse({ ...one, unless: "x" }).success).toBe(false);
    }
  });
});
