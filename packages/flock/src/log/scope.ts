import {
  clearanceKey,
  type EventFacts,
  type Filter,
  filterKey,
  type Matcher,
  matcherOf,
  maySee,
  type Principal,
} from "@flock-ts/protocol";

/** Which events a reader gets: what it wants of what it may see. */
export interface Scope extends Filter {
  /** Who reads; undefined: the owner, who may see everything. */
  readonly as?: Principal;
}

/** What a principal gets that asks for this; undefined for everything there is. */
export function scopeOf(filter: Filter, principal: Principal): Scope | undefined {
  if (principal.kind !== "owner") return { ...filter, as: principal };
  return Object.values(filter).some((part) => part !== undefined) ? filter : undefined;
}

/** Whether an event belongs to a scope. In a loop, call {@link testOf} once instead. */
export function isIn(scope: Scope, facts: EventFacts): boolean {
  return testOf(scope)(facts);
}

/** The test whether an event belongs to a scope. */
export function testOf(scope: Scope): Matcher {
  const { as } = scope;
  const matches = matcherOf(scope);
  return as === undefined ? matches : (facts) => maySee(as, facts.visibility) && matches(facts);
}

/** A string that is equal for scopes of the same events. */
export function viewKey(scope: Scope): string {
  return scope.as === undefined ? filterKey(scope) : `${filterKey(scope)} ${clearanceKey(scope.as)}`;
}
