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

/** A filter together with a principal: the events that a subscriber receives. */
export interface Scope extends Filter {
  /** The principal; undefined: the owner, who may see everything. */
  readonly as?: Principal;
}

/** Returns the scope of a principal and a filter; undefined for all events. */
export function scopeOf(filter: Filter, principal: Principal): Scope | undefined {
  if (principal.kind !== "owner") return { ...filter, as: principal };
  return Object.values(filter).some((part) => part !== undefined) ? filter : undefined;
}

/** Whether an event belongs to a scope. Before a loop, call {@link testOf} once instead. */
export function isIn(scope: Scope, facts: EventFacts): boolean {
  return testOf(scope)(facts);
}

/** Returns the test whether an event belongs to a scope. */
export function testOf(scope: Scope): Matcher {
  const { as } = scope;
  const matches = matcherOf(scope);
  return as === undefined ? matches : (facts) => maySee(as, facts.visibility) && matches(facts);
}

/** Returns a key that is equal for scopes with the same events. */
export function scopeKey(scope: Scope): string {
  return scope.as === undefined ? filterKey(scope) : `${filterKey(scope)} ${clearanceKey(scope.as)}`;
}
