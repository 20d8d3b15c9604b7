import type { EventVisibility, Principal, Visibility } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { ArtifactQuery, ArtifactQueryResult, ReadableStore, Store } from "./store.ts";

/** The blackboard as one principal sees it, whatever it asks for; and what it has read of it. */
export class VisibleStore implements ReadableStore {
  readonly #store: Store;
  readonly #as: Principal;
  readonly #noteRead: (visibility: Visibility | EventVisibility | undefined) => void;

  /** `noteRead` is told of the visibility of everything that is read. */
  constructor(store: Store, as: Principal, noteRead: (visibility: Visibility | EventVisibility | undefined) => void) {
    this.#store = store;
    this.#as = as;
    this.#noteRead = noteRead;
  }

  async getByType<T extends AnyArtifactType>(type: T): Promise<PayloadOf<T>[]> {
    return this.#store.readType(type.typeName, this.#as).map(({ payload, visibility }) => {
      this.#noteRead(visibility);
      return payload as PayloadOf<T>;
    });
  }

  async get(id: string): Promise<StoredArtifact | undefined> {
    const artifact = await this.#store.get(id, this.#as);
    this.#noteRead(artifact?.visibility);
    return artifact;
  }

  async query(query?: ArtifactQuery): Promise<ArtifactQueryResult> {
    const result = await this.#store.query(query, this.#as);
    for (const { visibility } of result.artifacts) this.#noteRead(visibility);
    return result;
  }

  async consumptionsOf(artifactIds: readonly string[]): Promise<Map<string, Consumption[]>> {
    const consumptions = await this.#store.consumptionsOf(artifactIds, this.#as);
    for (const one of consumptions.values()) for (const { visibility } of one) this.#noteRead(visibility);
    return consumptions;
  }
}
