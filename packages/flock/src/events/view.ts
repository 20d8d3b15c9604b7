import {
  clearanceKey,
  type EventFacts,
  type Filter,
  filterKey,
  matches,
  maySee,
  type Principal,
} from "@flock-ts/protocol";

/** Which events a reader gets: what it wants of what it may see. */
export interface View extends Filter {
  /** Who reads; undefined: the owner, who may see everything. */
  readonly as?: Principal;
}

/** What a principal gets that asks for this; undefined for everything there is. */
export function viewOf(filter: Filter, principal: Principal): View | undefined {
  if (principal.kind !== "owner") return { ...filter, as: principal };
  return Object.values(filter).some((part) => part !== undefined) ? filter : undefined;
}

/** Whether an event belongs to a view. */
export function isIn(view: View, facts: EventFacts): boolean {
  return (view.as === undefined || maySee(view.as, facts.visibility)) && matches(view, facts);
}

/** A string that is equal for views of the same events. */
export function viewKey(view: View): string {
  return view.as === undefined ? filterKey(view) : `${filterKey(view)} ${clearanceKey(view.as)}`;
}
