import { allOf, type EventVisibility, type Visibility } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";

/** Computes the combined visibility of a changing collection of artifacts. Public artifacts have no cost. */
export class VisibilityBag {
  #counts: Map<string, { readonly visibility: Visibility; count: number }> | undefined;

  add({ visibility }: StoredArtifact): void {
    if (visibility.kind === "public") return;
    const key = JSON.stringify(visibility);
    this.#counts ??= new Map();
    const counted = this.#counts.get(key);
    if (counted) counted.count += 1;
    else this.#counts.set(key, { visibility, count: 1 });
  }

  remove({ visibility }: StoredArtifact): void {
    if (visibility.kind === "public") return;
    const key = JSON.stringify(visibility);
    const counted = this.#counts?.get(key);
    if (!counted) return;
    counted.count -= 1;
    if (counted.count === 0) this.#counts?.delete(key);
  }

  clear(): void {
    this.#counts = undefined;
  }

  /** Visibility of the whole collection; undefined means public. */
  get visibility(): EventVisibility | undefined {
    if (!this.#counts || this.#counts.size === 0) return undefined;
    return allOf([...this.#counts.values()].map(({ visibility }) => visibility));
  }
}
