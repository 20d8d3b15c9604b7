import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Gate } from "./gate.ts";

/** The gates of one artifact type. */
interface Interested {
  readonly untagged: Gate[];
  /** By the first tag that the subscription requires. */
  readonly byTag: Map<string, Gate[]>;
}

const NONE: readonly Gate[] = [];

/** Finds the gates that may accept an artifact, independent of the total number of gates. */
export class SubscriptionIndex {
  readonly #byType = new Map<string, Interested>();

  /** Adds a gate under each type that its subscription names. */
  add(gate: Gate): void {
    const { requires, tags } = gate.subscription;
    for (const type of requires.keys()) {
      let interested = this.#byType.get(type);
      if (!interested) this.#byType.set(type, (interested = { untagged: [], byTag: new Map() }));
      const [tag] = tags;
      if (tag === undefined) {
        interested.untagged.push(gate);
        continue;
      }
      const tagged = interested.byTag.get(tag);
      if (tagged) tagged.push(gate);
      else interested.byTag.set(tag, [gate]);
    }
  }

  /** Returns the gates whose subscription names a type, regardless of tags. */
  ofType(type: string): readonly Gate[] {
    const interested = this.#byType.get(type);
    return interested ? [...interested.untagged, ...[...interested.byTag.values()].flat()] : NONE;
  }

  /** Returns the gates whose subscription names the artifact's type and may accept its tags. */
  candidates(artifact: StoredArtifact): readonly Gate[] {
    const interested = this.#byType.get(artifact.type);
    if (!interested) return NONE;
    const { untagged, byTag } = interested;
    if (byTag.size === 0 || artifact.tags.length === 0) return untagged;
    return [...untagged, ...artifact.tags.flatMap((tag) => byTag.get(tag) ?? NONE)];
  }
}
