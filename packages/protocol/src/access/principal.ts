/** All access decisions. Free of dependencies. */
import type { EventVisibility, LastingVisibility, Visibility } from "./visibility.ts";

/** The identity behind a request. Access depends on nothing else. */
export type Principal = OwnerPrincipal | AgentPrincipal | ClientPrincipal;

/** The operator of the flock, who sees everything. Also every client of a server without authentication. */
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

/** A client outside the flock. */
export interface ClientPrincipal {
  readonly kind: "client";
  /** Identifies the client. Idempotency keys belong to one name. */
  readonly name: string;
  /** The labels that it is cleared for. Default: none. */
  readonly labels?: readonly string[] | undefined;
  /** The tenant it belongs to. Default: none. */
  readonly tenant?: string | undefined;
  /** Agents whose private artifacts it may see. Default: none. */
  readonly agents?: readonly string[] | undefined;
}

/** The principal that sees everything. */
export const OWNER: OwnerPrincipal = Object.freeze({ kind: "owner" as const });

/**
 * Returns whether a principal may see something with this visibility. An absent visibility is public.
 *
 * The decision does not depend on the time. Only the owner sees an `after` visibility, until an event at that time
 * replaces it.
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
    case "all":
      return visibility.of.every((one) => maySee(principal, one));
    default:
      // `after` is the owner's. A newer version can write kinds that this one cannot decide on, so it denies them.
      return false;
  }
}

/** The visibility of something that only the owner may see. */
export const OWNER_ONLY: LastingVisibility = Object.freeze({ kind: "private", agents: [] as string[] });

/**
 * Combines visibilities: the result is visible to the principals that may see each part. Undefined means public. Equal
 * sets of parts give equal results.
 */
export function allOf(visibilities: Iterable<Visibility | EventVisibility | undefined>): EventVisibility | undefined {
  let parts: Map<string, LastingVisibility> | undefined;
  for (const visibility of visibilities) {
    if (visibility === undefined || visibility.kind === "public") continue;
    for (const part of visibility.kind === "all" ? visibility.of : [visibility]) {
      if (isOwnerOnly(part)) return OWNER_ONLY;
      parts ??= new Map();
      parts.set(JSON.stringify(part), part as LastingVisibility);
    }
  }
  if (!parts) return undefined;
  const of = [...parts.keys()].sort().map((key) => parts.get(key) as LastingVisibility);
  return of.length === 1 ? of[0] : { kind: "all", of };
}

/**
 * Returns whether every principal that may see `narrow` may also see `wide`. It can return false for a `narrow` that
 * requires two tenants, which only the owner may see.
 */
export function isAtLeastAsVisible(
  wide: Visibility | EventVisibility | undefined,
  narrow: Visibility | EventVisibility | undefined,
): boolean {
  if (wide === undefined || wide.kind === "public") return true;
  if (narrow === undefined) return false;
  if (isOwnerOnly(narrow)) return true;
  if (wide.kind === "all") return wide.of.every((part) => isAtLeastAsVisible(part, narrow));
  const parts = narrow.kind === "all" ? narrow.of : [narrow];
  if (wide.kind === "labelled") {
    const required = parts.filter((part) => part.kind === "labelled").flatMap((part) => part.required_labels);
    return wide.required_labels.every((label) => required.includes(label));
  }
  return parts.some((part) =>
    part.kind === "private" && wide.kind === "private"
      ? part.agents.every((agent) => wide.agents.includes(agent))
      : part.kind === "tenant" && wide.kind === "tenant" && part.tenant_id === wide.tenant_id,
  );
}

/** Returns a key that is equal only for principals that may see the same. */
export function clearanceKey(principal: Principal): string {
  if (principal.kind === "owner") return "";
  const sorted = (list: readonly string[] | undefined) => [...new Set(list)].sort();
  const agents = principal.kind === "agent" ? [principal.name] : sorted(principal.agents);
  return JSON.stringify([agents, sorted(principal.labels), principal.tenant ?? null]);
}

/** Returns whether only the owner may see something with this visibility. */
export function isOwnerOnly(visibility: Visibility | EventVisibility): boolean {
  if (visibility.kind === "all") return visibility.of.some(isOwnerOnly);
  return visibility.kind === "after" || (visibility.kind === "private" && visibility.agents.length === 0);
}
