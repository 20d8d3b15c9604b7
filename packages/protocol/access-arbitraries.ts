/** Visibilities and principals over a few names, enough to tell every access decision apart. */
import * as fc from "fast-check";
import { allOf, OWNER, type Principal } from "./src/access/principal.ts";
import {
  type EventVisibility,
  type LastingVisibility,
  settleVisibility,
  type Visibility,
} from "./src/access/visibility.ts";

const AGENTS = ["a", "b"];
const LABELS = ["x", "y"];
const TENANTS = ["t", "u"];

const subsets = (names: readonly string[]): string[][] =>
  names.reduce((sets, name) => sets.concat(sets.map((set) => [...set, name])), [[]] as string[][]);

/** Every visibility without a time or combination. */
export const LASTING: readonly LastingVisibility[] = [
  { kind: "public" },
  ...subsets(AGENTS).map((agents) => ({ kind: "private" as const, agents })),
  ...subsets(LABELS)
    .filter((labels) => labels.length > 0)
    .map((required_labels) => ({ kind: "labelled" as const, required_labels })),
  ...TENANTS.map((tenant_id) => ({ kind: "tenant" as const, tenant_id })),
];

const RESTRICTED = LASTING.filter(({ kind }) => kind !== "public");
const PAIRS = RESTRICTED.flatMap((one) => RESTRICTED.map((other) => [one, other]));

/** Every visibility, including each combination of two, both as `all` and as {@link allOf} writes it. */
export const VISIBILITIES: readonly (Visibility | EventVisibility | undefined)[] = [
  undefined,
  ...LASTING,
  settleVisibility({ kind: "after", ttl_ms: 1 }, 0),
  ...PAIRS.flatMap((of) => [allOf(of), { kind: "all" as const, of }]),
];

/** Every principal that these names can tell apart. */
export const PRINCIPALS: readonly Principal[] = [
  OWNER,
  ...[undefined, ...TENANTS].flatMap((tenant) =>
    subsets(LABELS).flatMap((labels) => [
      ...[...AGENTS, "c"].map((name): Principal => ({ kind: "agent", name, labels, tenant })),
      ...subsets(AGENTS).map((agents): Principal => ({ kind: "client", name: "c", labels, tenant, agents })),
    ]),
  ),
];

const lasting = fc.constantFrom(...LASTING);

/** Any visibility of an artifact. */
export const artifactVisibility: fc.Arbitrary<Visibility> = fc.oneof(
  { weight: 5, arbitrary: lasting },
  { weight: 1, arbitrary: lasting.map((then) => settleVisibility({ kind: "after", ttl_ms: 1, then }, 0)) },
);

/** Any visibility of an artifact or an event. */
export const anyVisibility: fc.Arbitrary<Visibility | EventVisibility | undefined> = fc.oneof(
  artifactVisibility,
  fc.array(artifactVisibility, { maxLength: 3 }).map((several) => allOf(several)),
);
