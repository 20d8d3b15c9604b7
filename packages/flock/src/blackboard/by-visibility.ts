import { allOf, type EventVisibility, isOwnerOnly, maySee, type Principal, type Visibility } from "@flock-ts/protocol";
import type { StoredArtifact } from "./artifact.ts";

/** Returns the visibility of what these artifacts share, such as a run; undefined means public. */
export function seenTogether(artifacts: readonly StoredArtifact[]): EventVisibility | undefined {
  // Fast path: most flocks have only public artifacts.
  for (const { visibility } of artifacts) {
    if (visibility.kind !== "public") return allOf(artifacts.map((artifact) => artifact.visibility));
  }
  return undefined;
}

/** Maximum number of partitions. Further visibilities are counted for the owner only. */
const MAX_PARTITIONS = 1_000;

/** A value that is counted for one visibility. */
export interface Partition<T> {
  /** Undefined means public. */
  readonly visibility: EventVisibility | undefined;
  readonly value: T;
}

/**
 * Counts restricted items in per-visibility partitions, so that each principal receives the sum of what it may see.
 * Created with the first restricted item; until then the total is public.
 */
export class ByVisibility<T> {
  readonly #make: () => T;
  readonly #partitions = new Map<string, Partition<T>>();

  /** @param publicSoFar the count until now, all of it public. */
  constructor(publicSoFar: T, make: () => T) {
    this.#make = make;
    this.#partitions.set("", { visibility: undefined, value: publicSoFar });
  }

  /** Returns the value to count an item of this visibility in; undefined when only the owner may see the item. */
  of(visibility: Visibility | EventVisibility | undefined): T | undefined {
    const isPublic = visibility === undefined || visibility.kind === "public";
    const key = isPublic ? "" : JSON.stringify(visibility);
    const known = this.#partitions.get(key);
    if (known) return known.value;
    if (isPublic || isOwnerOnly(visibility) || this.#partitions.size >= MAX_PARTITIONS) return undefined;
    const value = this.#make();
    this.#partitions.set(key, { visibility: visibility as EventVisibility, value });
    return value;
  }

  /** Returns the values that a principal may see. */
  seenBy(as: Principal): T[] {
    return this.all.filter(({ visibility }) => maySee(as, visibility)).map(({ value }) => value);
  }

  get all(): Partition<T>[] {
    return [...this.#partitions.values()];
  }

  /** Restores saved partitions. */
  restore(partitions: readonly Partition<T>[]): void {
    for (const one of partitions) this.#partitions.set(one.visibility ? JSON.stringify(one.visibility) : "", one);
  }
}

/** Returns whether items of this visibility need partitions. */
export function isRestricted(visibility: Visibility | EventVisibility | undefined): boolean {
  return visibility !== undefined && visibility.kind !== "public";
}
