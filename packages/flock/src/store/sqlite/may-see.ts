import type { DatabaseSync } from "node:sqlite";
import { maySee, type Principal, PUBLIC } from "@flock-ts/protocol";

/** So many visibilities are kept parsed: few flocks have more of them. */
const MAX_PARSED = 10_000;

/** Lets SQL ask who may see what, as `may_see(visibility, principal)`, both as JSON. */
export function defineMaySee(db: DatabaseSync): void {
  const parsed = new Map<string, unknown>();
  const parse = (json: string): unknown => {
    if (!parsed.has(json)) {
      if (parsed.size >= MAX_PARSED) parsed.clear();
      parsed.set(json, JSON.parse(json));
    }
    return parsed.get(json);
  };
  db.function("may_see", { deterministic: true }, (visibility, principal) =>
    maySee(parse(principal as string) as Principal, parse(visibility as string) as never) ? 1 : 0,
  );
}

/** The condition that a principal may see a row, by the column of its visibility, in which null is public; none for the owner. */
export function seenBy(principal: Principal, column: string): { readonly sql: string; readonly values: string[] }[] {
  if (principal.kind === "owner") return [];
  // Most of what there is, is public: for that no function is called.
  const sql = `(${column} IS NULL OR ${column} = '${JSON.stringify(PUBLIC)}' OR may_see(${column}, ?))`;
  return [{ sql, values: [JSON.stringify(principal)] }];
}

/** Returns the end of a WHERE clause that leaves what a principal may see. */
export function onlyFor(as: Principal): { readonly and: string; readonly values: readonly string[] } {
  const [condition] = seenBy(as, "visibility");
  return condition ? { and: ` AND ${condition.sql}`, values: condition.values } : { and: "", values: [] };
}
