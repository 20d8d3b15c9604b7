import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allOf, clearanceKey, isNoNarrower, isOwnerOnly, maySee, NOBODY, OWNER, type Principal } from "./principal.ts";
import {
  type EventVisibility,
  type LastingVisibility,
  settleVisibility,
  type Visibility,
  visibilityRequestSchema,
  visibilitySchema,
} from "./visibility.ts";

const AGENTS = ["a", "b"];
const LABELS = ["x", "y"];
const TENANTS = ["t", "u"];

const lasting: fc.Arbitrary<LastingVisibility> = fc.oneof(
  fc.constant({ kind: "public" as const }),
  fc.subarray(AGENTS).map((agents) => ({ kind: "private" as const, agents })),
  fc.subarray(LABELS, { minLength: 1 }).map((required_labels) => ({ kind: "labelled" as const, required_labels })),
  fc.constantFrom(...TENANTS).map((tenant_id) => ({ kind: "tenant" as const, tenant_id })),
);
const visibility: fc.Arbitrary<Visibility> = fc.oneof(
  { weight: 5, arbitrary: lasting },
  { weight: 1, arbitrary: lasting.map((then) => settleVisibility({ kind: "after", ttl_ms: 1, then }, 0)) },
);
const some: fc.Arbitrary<Visibility | EventVisibility | undefined> = fc.oneof(
  visibility,
  fc.array(visibility, { maxLength: 3 }).map((several) => allOf(several)),
);

/** Every principal that the names above can tell apart. */
const PRINCIPALS: Principal[] = [
  OWNER,
  ...[undefined, ...TENANTS].flatMap((tenant) =>
    [[], ["x"], ["y"], ["x", "y"]].flatMap((labels) => [
      ...[...AGENTS, "c"].map((name): Principal => ({ kind: "agent", name, labels, tenant })),
      ...[[], ["a"], ["b"], ["a", "b"]].map(
        (agents): Principal => ({ kind: "client", name: "c", labels, tenant, agents }),
      ),
    ]),
  ),
];

describe("who may see what", () => {
  const stranger: Principal = { kind: "client", name: "a" };

  it("is said by five kinds", () => {
    const agent: Principal = { kind: "agent", name: "a", labels: ["x"], tenant: "t" };
    const seen = (one: Visibility) => maySee(agent, one);
    expect(seen({ kind: "public" })).toBe(true);
    expect(seen({ kind: "private", agents: ["b", "a"] })).toBe(true);
    expect(seen({ kind: "private", agents: ["b"] })).toBe(false);
    expect(seen({ kind: "labelled", required_labels: ["x"] })).toBe(true);
    expect(seen({ kind: "labelled", required_labels: ["x", "y"] })).toBe(false);
    expect(seen({ kind: "tenant", tenant_id: "t" })).toBe(true);
    expect(seen({ kind: "tenant", tenant_id: "u" })).toBe(false);
    expect(seen(settleVisibility({ kind: "after", ttl_ms: 1 }, 0))).toBe(false);
  });

  it("is everything for the owner, and what is not said to be otherwise for everybody", () => {
    fc.assert(fc.property(some, (one) => maySee(OWNER, one)));
    expect(maySee(stranger, undefined)).toBe(true);
  });

  it("is not what is private to an agent of the same name as a client", () => {
    expect(maySee(stranger, { kind: "private", agents: ["a"] })).toBe(false);
    expect(maySee({ kind: "client", name: "c", agents: ["a"] }, { kind: "private", agents: ["a"] })).toBe(true);
  });

  it("is no tenant's for those of none, and nothing of a kind that a newer version knows", () => {
    expect(maySee(stranger, { kind: "tenant", tenant_id: "undefined" })).toBe(false);
    expect(maySee(stranger, { kind: "tomorrow's" } as never)).toBe(false);
  });

  it("of several things is who may see each of them", () => {
    fc.assert(
      fc.property(fc.array(some, { maxLength: 4 }), (several) => {
        const all = allOf(several);
        for (const one of PRINCIPALS) expect(maySee(one, all)).toBe(several.every((part) => maySee(one, part)));
      }),
    );
  });

  it("is no narrower only when nobody loses by it", () => {
    fc.assert(
      fc.property(some, some, (wide, narrow) => {
        if (!isNoNarrower(wide, narrow)) return;
        for (const one of PRINCIPALS) if (maySee(one, narrow)) expect(maySee(one, wide)).toBe(true);
      }),
    );
    fc.assert(fc.property(some, (one) => isNoNarrower(one, one)));
    fc.assert(fc.property(some, some, (a, b) => isNoNarrower(a, allOf([a, b]))));
  });

  it("is the owner alone where nobody else is left", () => {
    expect(isOwnerOnly(NOBODY)).toBe(true);
    fc.assert(
      fc.property(visibility, (one) => {
        if (isOwnerOnly(one)) for (const other of PRINCIPALS) expect(maySee(other, one)).toBe(other.kind === "owner");
      }),
    );
  });

  it("is the same for those with the same key", () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...PRINCIPALS), fc.constantFrom(...PRINCIPALS), (one, a, b) => {
        if (clearanceKey(a) === clearanceKey(b)) expect(maySee(a, one)).toBe(maySee(b, one));
      }),
    );
  });
});

describe("a visibility that is kept", () => {
  it("is one that the wire knows, in the same words whenever it means the same", () => {
    fc.assert(
      fc.property(visibility, fc.nat(), (one, now) => {
        const kept = settleVisibility(one, now);
        expect(visibilitySchema.parse(kept)).toEqual(kept);
        expect(settleVisibility(kept, now)).toEqual(kept);
      }),
    );
    const kept = settleVisibility({ kind: "labelled", required_labels: ["y", "x", "y"] }, 0);
    expect(kept).toEqual({ kind: "labelled", required_labels: ["x", "y"] });
  });

  it("has a time where its publisher said how long, and none where that has passed", () => {
    const then = { kind: "tenant", tenant_id: "t" } as const;
    const at = "1970-01-01T00:00:05.000Z";
    expect(settleVisibility({ kind: "after", ttl_ms: 4_000, then }, 1_000)).toEqual({ kind: "after", at, then });
    expect(settleVisibility({ kind: "after", at: "1970-01-01T02:00:05+02:00" }, 1_000)).toMatchObject({ at });
    expect(settleVisibility({ kind: "after", at, then }, 5_000)).toEqual(then);
  });

  it("is refused when it says two times, or none", () => {
    const parse = (after: object) => visibilityRequestSchema.safeParse({ kind: "after", ...after });
    expect(parse({ ttl_ms: 1 })).toMatchObject({ success: true });
    expect(parse({}).error?.issues[0]?.message).toBe("say either at or ttl_ms");
    expect(parse({ ttl_ms: 1, at: "2026-01-01T00:00:00Z" }).success).toBe(false);
  });
});
