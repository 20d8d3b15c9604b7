/** Who may see what: the one place that decides it. Kept free of dependencies. */
import type { EventVisibility, LastingVisibility, Visibility } from "./visibility.ts";

/** Who asks. What it may see depends on nothing but this. */
export type Principal = OwnerPrincipal | AgentPrincipal | ClientPrincipal;

/** Whoever runs the flock: sees everything. What everybody is where nobody is asked who they are. */
export interface OwnerPrincipal {
  readonly kind: "owner";
}

/** An agent of the flock. */
export interface AgentPrincipal {
  readonly kind: "agent";
  readonly name: string;
  readonly labels?: readonly string[] | undefined;
  readonly tenant?: string | undefined;
}

/** Somebody outside the flock. */
export interface ClientPrincipal {
  readonly kind: "client";
  /** Who it is: idempotency keys are its own. */
  readonly name: string;
  /** What it is cleared for. Default: nothing. */
  readonly labels?: readonly string[] | undefined;
  /** The tenant it belongs to. Default: none. */
  readonly tenant?: string | undefined;
  /** Agents whose private artifacts it may see, such as those it answers for. Default: none. */
  readonly agents?: readonly string[] | undefined;
}

/** The principal that sees everything. */
export const OWNER: OwnerPrincipal = Object.freeze({ kind: "owner" as const });

/**
 * Whether a principal may see what has this visibility. No clock has a say: what waits for its time is for the owner
 * alone until an event of its own gives it another visibility. Absent: public.
 */
export function maySee(principal: Principal, visibility: Visibility | EventVisibility | undefined): boolean {
  if (visibility === undefined || visibility.kind === "public" || principal.kind === "owner") return true;
  switch (visibility.kind) {
    case "private":
      return principal.kind === "agent"
        ? visibility.agents.includes(principal.name)
        : (principal.agents?.some((agent) => visibility.agents.includes(agent)) ?? false);
    case "labelled":
      return visibility.required_labels.every((label) => principal.labels?.includes(label) ?? false);
    case "tenant":
      return visibility.tenant_id === principal.tenant;
    case "after":
      return false;
    case "all":
      return visibility.of.every((one) => maySee(principal, one));
    default:
      // A kind that a newer version has written is not for those whom this version cannot judge.
      return false;
  }
}

/** The visibility of what only the owner sees. */
export const NOBODY: LastingVisibility = Object.freeze({ kind: "private", agents: [] as string[] });

/** The visibility of what tells of several things: whoever may see each of them. Undefined: everybody. */
export function allOf(visibilities: Iterable<Visibility | EventVisibility | undefined>): EventVisibility | undefined {
  let parts: Map<string, LastingVisibility> | undefined;
  for (const visibility of visibilities) {
    if (visibility === undefined || visibility.kind === "public") continue;
    for (const part of visibility.kind === "all" ? visibility.of : [visibility]) {
      if (isOwnerOnly(part)) return NOBODY;
      parts ??= new Map();
      parts.set(JSON.stringify(part), part as LastingVisibility);
    }
  }
  if (!parts) return undefined;
  const of = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  return of.length === 1 ? of[0] : { kind: "all", of };
}

/** Whether everybody who may see what has the visibility `narrow` may see what has the visibility `wide` as well. */
export function isNoNarrower(
  wide: Visibility | EventVisibility | undefined,
  narrow: Visibility | EventVisibility | undefined,
): boolean {
  if (wide === undefined || wide.kind === "public") return true;
  if (narrow === undefined || narrow.kind === "public") return false;
  if (isOwnerOnly(narrow)) return true;
  if (wide.kind === "all") return wide.of.every((part) => isNoNarrower(part, narrow));
  const parts = narrow.kind === "all" ? narrow.of : [narrow];
  if (wide.kind === "labelled") {
    const required = parts.flatMap((part) => (part.kind === "labelled" ? part.required_labels : []));
    return wide.required_labels.every((label) => required.includes(label));
  }
  return parts.some((part) =>
    part.kind === "private" && wide.kind === "private"
      ? part.agents.every((agent) => wide.agents.includes(agent))
      : part.kind === "tenant" && wide.kind === "tenant" && part.tenant_id === wide.tenant_id,
  );
}

/** A string that is equal for principals that may see the same. */
export function clearanceKey(principal: Principal): string {
  if (principal.kind === "owner") return "";
  const sorted = (list: readonly string[] | undefined) => [...new Set(list)].sort();
  const agents = principal.kind === "agent" ? [principal.name] : sorted(principal.agents);
  return JSON.stringify([agents, sorted(principal.labels), principal.tenant ?? null]);
}

/** Whether nobody but the owner may ever see what has this visibility. */
export function isOwnerOnly(visibility: Visibility | EventVisibility): boolean {
  if (visibility.kind === "all") return visibility.of.some(isOwnerOnly);
  return visibility.kind === "after" || (visibility.kind === "private" && visibility.agents.length === 0);
}
