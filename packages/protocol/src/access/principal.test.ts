import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyVisibility, PRINCIPALS, VISIBILITIES } from "../../access-arbitraries.ts";
import {
  allOf,
  clearanceKey,
  isAtLeastAsVisible,
  isOwnerOnly,
  maySee,
  OWNER,
  OWNER_ONLY,
  type Principal,
} from "./principal.ts";
import { type EventVisibility, type LastingVisibility, settleVisibility, type Visibility } from "./visibility.ts";

const stranger: Principal = { kind: "client", name: "a" };
const others = PRINCIPALS.filter(({ kind }) => kind !== "owner");

/** Whether a visibility requires two tenants. A principal belongs to one, so only the owner sees it. */
const isContradiction = (one: Visibility | EventVisibility | undefined) =>
  one?.kind === "all" && new Set(one.of.flatMap((part) => (part.kind === "tenant" ? [part.tenant_id] : []))).size > 1;

describe("maySee", () => {
  const agent: Principal = { kind: "agent", name: "a", labels: ["x"], tenant: "t" };

  it.for<[Visibility | EventVisibility, boolean]>([
    [{ kind: "public" }, true],
    [{ kind: "private", agents: ["b", "a"] }, true],
    [{ kind: "private", agents: ["b"] }, false],
    [{ kind: "private", agents: [] }, false],
    [{ kind: "labelled", required_labels: ["x"] }, true],
    [{ kind: "labelled", required_labels: ["x", "y"] }, false],
    [{ kind: "tenant", tenant_id: "t" }, true],
    [{ kind: "tenant", tenant_id: "u" }, false],
    [settleVisibility({ kind: "after", ttl_ms: 1 }, 0), false],
    [{ kind: "all", of: [{ kind: "tenant", tenant_id: "t" }, { kind: "public" }] }, true],
    [
      {
        kind: "all",
        of: [
          { kind: "tenant", tenant_id: "t" },
          { kind: "private", agents: ["b"] },
        ],
      },
      false,
    ],
  ])("decides %o for an agent as %s", ([visibility, expected]) => {
    expect(maySee(agent, visibility)).toBe(expected);
  });

  it("shows the owner everything", () => {
    for (const visibility of VISIBILITIES) expect(maySee(OWNER, visibility)).toBe(true);
    expect(maySee(OWNER, { kind: "tomorrow" } as never)).toBe(true);
  });

  it("treats an absent visibility as public", () => {
    for (const principal of PRINCIPALS) expect(maySee(principal, undefined)).toBe(true);
  });

  it("does not take a client for the agent of the same name", () => {
    expect(maySee(stranger, { kind: "private", agents: ["a"] })).toBe(false);
  });

  it("shows a client what is private to any of its agents", () => {
    const client: Principal = { kind: "client", name: "c", agents: ["a", "b"] };
    expect(maySee(client, { kind: "private", agents: ["a"] })).toBe(true);
    expect(maySee(client, { kind: "private", agents: ["b", "z"] })).toBe(true);
    expect(maySee(client, { kind: "private", agents: ["z"] })).toBe(false);
  });

  it("requires every label, and denies a principal without labels", () => {
    const xy: Visibility = { kind: "labelled", required_labels: ["x", "y"] };
    expect(maySee({ ...stranger, labels: ["y", "z", "x"] }, xy)).toBe(true);
    expect(maySee({ ...stranger, labels: ["y"] }, xy)).toBe(false);
    expect(maySee(stranger, xy)).toBe(false);
  });

  it("denies a principal without a tenant what belongs to one", () => {
    expect(maySee(stranger, { kind: "tenant", tenant_id: "undefined" })).toBe(false);
    expect(maySee(stranger, { kind: "tenant", tenant_id: "" })).toBe(false);
  });

  it("denies everyone but the owner a kind of a newer version", () => {
    for (const principal of others) expect(maySee(principal, { kind: "tomorrow" } as never)).toBe(false);
  });

  it("requires every part of a combination", () => {
    const of: LastingVisibility[] = [
      { kind: "tenant", tenant_id: "t" },
      { kind: "labelled", required_labels: ["x"] },
    ];
    for (const principal of PRINCIPALS) {
      expect(maySee(principal, { kind: "all", of })).toBe(of.every((part) => maySee(principal, part)));
    }
  });
});

describe("allOf", () => {
  it("is visible to exactly the principals that may see each part", () => {
    fc.assert(
      fc.property(fc.array(anyVisibility, { maxLength: 4 }), (several) => {
        const all = allOf(several);
        for (const one of PRINCIPALS) expect(maySee(one, all)).toBe(several.every((part) => maySee(one, part)));
      }),
    );
  });

  it("is undefined for public parts, and the part itself for a single one", () => {
    const tenant = { kind: "tenant", tenant_id: "t" } as const;
    expect(allOf([])).toBeUndefined();
    expect(allOf([undefined, { kind: "public" }])).toBeUndefined();
    expect(allOf([undefined, tenant, { kind: "public" }, { ...tenant }])).toEqual(tenant);
  });

  it("is owner-only as soon as one part is", () => {
    const tenant = { kind: "tenant", tenant_id: "t" } as const;
    expect(allOf([tenant, { kind: "private", agents: [] }])).toBe(OWNER_ONLY);
    expect(allOf([tenant, settleVisibility({ kind: "after", ttl_ms: 1 }, 0)])).toBe(OWNER_ONLY);
    expect(allOf([{ kind: "all", of: [tenant, OWNER_ONLY] }])).toBe(OWNER_ONLY);
  });

  it("writes the same parts in the same order, flattened and without duplicates", () => {
    const t = { kind: "tenant", tenant_id: "t" } as const;
    const x = { kind: "labelled", required_labels: ["x"] } as const as LastingVisibility;
    const a = { kind: "private", agents: ["a"] } as const as LastingVisibility;
    const expected = { kind: "all", of: [x, a, t] };
    expect(allOf([t, x, a])).toEqual(expected);
    expect(allOf([a, { kind: "all", of: [t, x] }, x])).toEqual(expected);
  });
});

describe("isAtLeastAsVisible", () => {
  it("holds exactly when every principal that sees the second also sees the first", () => {
    for (const wide of VISIBILITIES) {
      for (const narrow of VISIBILITIES) {
        const loses = others.some((one) => maySee(one, narrow) && !maySee(one, wide));
        const holds = isAtLeastAsVisible(wide, narrow);
        // Contradictions may be judged conservatively: no principal sees them, and "false" is safe.
        if (isContradiction(narrow)) expect(holds && loses).toBe(false);
        else expect(holds, JSON.stringify({ wide, narrow })).toBe(!loses);
      }
    }
  });

  it("compares each part of a combination, all labels and all agents", () => {
    const t = { kind: "tenant", tenant_id: "t" } as const;
    const x: LastingVisibility = { kind: "labelled", required_labels: ["x"] };
    const xy: LastingVisibility = { kind: "labelled", required_labels: ["x", "y"] };
    expect(isAtLeastAsVisible({ kind: "all", of: [t, x] }, t)).toBe(false);
    expect(isAtLeastAsVisible({ kind: "all", of: [t, x] }, { kind: "all", of: [xy, t] })).toBe(true);
    expect(isAtLeastAsVisible(xy, x)).toBe(false);
    expect(isAtLeastAsVisible(x, xy)).toBe(true);
    expect(isAtLeastAsVisible({ kind: "private", agents: ["a"] }, { kind: "private", agents: ["a", "b"] })).toBe(false);
    expect(isAtLeastAsVisible({ kind: "private", agents: ["a", "b"] }, { kind: "private", agents: ["a"] })).toBe(true);
    expect(isAtLeastAsVisible(t, { kind: "tenant", tenant_id: "u" })).toBe(false);
  });

  it("denies a kind of a newer version, even compared with itself", () => {
    const unknown = { kind: "tomorrow" } as never;
    expect(isAtLeastAsVisible(unknown, { kind: "public" })).toBe(false);
    expect(isAtLeastAsVisible({ kind: "tenant", tenant_id: "t" }, unknown)).toBe(false);
    expect(isAtLeastAsVisible(unknown, unknown)).toBe(false);
  });

  it("denies a kind of a newer version that has the fields of a known one", () => {
    const like = (known: LastingVisibility) => ({ ...known, kind: "tomorrow" }) as never;
    const known: LastingVisibility[] = [
      { kind: "tenant", tenant_id: "t" },
      { kind: "labelled", required_labels: ["x"] },
      { kind: "private", agents: ["a"] },
    ];
    for (const one of known) {
      expect(isAtLeastAsVisible(one, like(one)), one.kind).toBe(false);
      expect(isAtLeastAsVisible(like(one), one), one.kind).toBe(false);
    }
  });
});

describe("isOwnerOnly", () => {
  it("holds exactly when only the owner may see it", () => {
    for (const visibility of VISIBILITIES) {
      if (visibility === undefined || isContradiction(visibility)) continue;
      expect(isOwnerOnly(visibility), JSON.stringify(visibility)).toBe(!others.some((one) => maySee(one, visibility)));
    }
    expect(isOwnerOnly(OWNER_ONLY)).toBe(true);
  });
});

describe("clearanceKey", () => {
  it("is equal only for principals that see the same", () => {
    for (const a of PRINCIPALS) {
      for (const b of PRINCIPALS) {
        if (clearanceKey(a) !== clearanceKey(b)) continue;
        for (const one of VISIBILITIES) expect(maySee(a, one)).toBe(maySee(b, one));
      }
    }
  });

  it("does not depend on the order, repetition or absence of names, nor on the name of a client", () => {
    const client = (more: object) => clearanceKey({ kind: "client", name: "c", ...more });
    expect(client({ labels: ["x", "y", "x"], agents: ["b", "a"] })).toBe(
      client({ labels: ["y", "x"], agents: ["a", "b"] }),
    );
    expect(client({})).toBe(client({ name: "d", labels: [], agents: [], tenant: undefined }));
    expect(client({ agents: ["a"] })).toBe(clearanceKey({ kind: "agent", name: "a" }));
  });

  it("differs by agents, labels, tenant and ownership", () => {
    const keys = [
      OWNER,
      stranger,
      { ...stranger, agents: ["a"] },
      { ...stranger, labels: ["a"] },
      { ...stranger, tenant: "a" },
      { ...stranger, tenant: "b" },
    ].map((principal) => clearanceKey(principal as Principal));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
