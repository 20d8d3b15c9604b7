import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import type { Subscription } from "./subscription.ts";

/** The subscriptions of one artifact type. */
interface Interested {
  readonly untagged: Subscription[];
  /** By the first tag that a subscription asks for. */
  readonly byTag: Map<string, Subscription[]>;
}

const NONE: readonly Subscription[] = [];

/** Finds the subscriptions that an artifact may concern, at a cost that does not depend on how many others there are. */
export class SubscriptionIndex {
  readonly #byType = new Map<string, Interested>();

  /** Adds a subscription for each type that it names. */
  add(subscription: Subscription): void {
    for (const type of subscription.requires.keys()) {
      let interested = this.#byType.get(type);
      if (!interested) this.#byType.set(type, (interested = { untagged: [], byTag: new Map() }));
      const [tag] = subscription.tags;
      if (tag === undefined) {
        interested.untagged.push(subscription);
        continue;
      }
      const tagged = interested.byTag.get(tag);
      if (tagged) tagged.push(subscription);
      else interested.byTag.set(tag, [subscription]);
    }
  }

  /** The subscriptions that name the artifact's type and may accept its tags. */
  candidates(artifact: StoredArtifact): readonly Subscription[] {
    const interested = this.#byType.get(artifact.type);
    if (!interested) return NONE;
    const { untagged, byTag } = interested;
    if (byTag.size === 0 || artifact.tags.length === 0) return untagged;
    return [...untagged, ...artifact.tags.flatMap((tag) => byTag.get(tag) ?? NONE)];
  }
}
