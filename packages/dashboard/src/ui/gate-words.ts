import type { GateState } from "@flock-ts/protocol";
import { clock } from "./format.ts";

/** Describes what a gate has collected and what it needs. */
export function gathered({
  required,
  collected,
  expires_at,
}: Pick<GateState, "required" | "collected" | "expires_at">): string {
  const parts = Object.entries(required).map(
    ([type, wanted]) => `${type} ${Math.min(wanted, collected[type] ?? 0)}/${wanted}`,
  );
  return `${parts.join(", ")}${expires_at ? ` until ${clock(expires_at)}` : ""}`;
}

/** Describes what a gate is missing: `Risk` or `2 × Review`. */
export function missing({ required, collected }: GateState): string {
  return Object.entries(required)
    .map(([type, wanted]) => [type, wanted - (collected[type] ?? 0)] as const)
    .filter(([, left]) => left > 0)
    .map(([type, left]) => (left === 1 ? type : `${left} × ${type}`))
    .join(" and ");
}
