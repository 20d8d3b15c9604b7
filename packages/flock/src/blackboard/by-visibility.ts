import { allOf, type EventVisibility, isOwnerOnly, maySee, type Principal, type Visibility } from "@flock-ts/protocol";
import type { StoredArtifact } from "./artifact.ts";

/** Who may see that these artifacts have something in common, such as a run; undefined: everybody. */
export function seenTogether(artifacts: readonly StoredArtifact[]): EventVisibility | undefined {
  // Most flocks have public artifacts only: nothing is made for those.
  for (const { visibility } of artifacts) {
    if (visibility.kind !== "public") return allOf(artifacts.map((artifact) => artifact.visibility));
  }
  return undefined;
}

/** So many kinds of visibility are counted apart; what is of further kinds is counted for the owner alone. */
const MAX_CLASSES = 1_000;

/** Something that is counted for one kind of visibility. */
export interface Class<T> {
  /** Undefined: public. */
  readonly visibility: EventVisibility | undefined;
  readonly value: T;
}

/**
 * Counts apart what not everybody may see, so that each principal can be told the sum of what it may see. Made when
 * the first such thing comes: until then what counts for all is what everybody may be told.
 */
export class ByVisibility<T> {
  readonly #make: () => T;
  readonly #classes = new Map<string, Class<T>>();

  /** `publicSoFar`: what has been counted until now, when all of it was public. */
  constructor(publicSoFar: T, make: () => T) {
    this.#make = make;
    this.#classes.set("", { visibility: undefined, value: publicSoFar });
  }

  /** Where something of this visibility is counted; undefined when the owner alone may see it. */
  of(visibility: Visibility | EventVisibility | undefined): T | undefined {
    const isPublic = visibility === undefined || visibility.kind === "public";
    const key = isPublic ? "" : JSON.stringify(visibility);
    const known = this.#classes.get(key);
    if (known) return known.value;
    if (isPublic || isOwnerOnly(visibility) || this.#classes.size >= MAX_CLASSES) return undefined;
    const value = this.#make();
    this.#classes.set(key, { visibility: visibility as EventVisibility, value });
    return value;
  }

  /** What a principal may be told. */
  seenBy(as: Principal): T[] {
    return this.all.filter(({ visibility }) => maySee(as, visibility)).map(({ value }) => value);
  }

  get all(): Class<T>[] {
    return [...this.#classes.values()];
  }

  /** Goes on from what was saved. */
  restore(classes: readonly Class<T>[]): void {
    for (const one of classes) this.#classes.set(one.visibility ? JSON.stringify(one.visibility) : "", one);
  }
}

/** Whether counting something of this visibility calls for classes. */
export function isRestricted(visibility: Visibility | EventVisibility | undefined): boolean {
  return visibility !== undefined && visibility.kind !== "public";
}
