import type { EventVisibility, Principal, Visibility } from "@flock-ts/protocol";
import { OWNER } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../blackboard/artifact.ts";
import { type AnyArtifactType, assertArtifactTypes, type PayloadOf } from "../blackboard/artifact-type.ts";
import { isFrozenJson } from "../blackboard/json.ts";
import type { ArtifactQuery, ArtifactQueryResult, BlackboardReader, OwnersStore, ReadableStore } from "./queries.ts";

type NoteRead = (visibility: Visibility | EventVisibility | undefined) => void;

/** The blackboard as one principal sees it. */
export class VisibleStore implements ReadableStore {
  readonly #blackboard: BlackboardReader;
  readonly #as: Principal;
  readonly #noteRead: NoteRead | undefined;

  /** @param noteRead receives the visibility of everything that is read. */
  constructor(blackboard: BlackboardReader, as: Principal, noteRead?: NoteRead) {
    this.#blackboard = blackboard;
    this.#as = as;
    this.#noteRead = noteRead;
  }

  async getByType<T extends AnyArtifactType>(type: T): Promise<PayloadOf<T>[]> {
    assertArtifactTypes("`getByType`", [type]);
    const found = await this.#blackboard.getByType(type.typeName, this.#as);
    return found.map(({ payload, visibility }) => {
      this.#noteRead?.(visibility);
      const isReady = !type.isEncoded && isFrozenJson(payload);
      return (isReady ? payload : type.decode(payload)) as PayloadOf<T>;
    });
  }

  async get(id: string): Promise<StoredArtifact | undefined> {
    const artifact = await this.#blackboard.get(id, this.#as);
    this.#noteRead?.(artifact?.visibility);
    return artifact;
  }

  async query(query: ArtifactQuery = {}): Promise<ArtifactQueryResult> {
    const result = await this.#blackboard.query(query, this.#as);
    for (const { visibility } of result.artifacts) this.#noteRead?.(visibility);
    return result;
  }

  async consumptionsOf(artifactIds: readonly string[]): Promise<Map<string, Consumption[]>> {
    const consumptions = await this.#blackboard.consumptionsOf(artifactIds, this.#as);
    for (const one of consumptions.values()) for (const { visibility } of one) this.#noteRead?.(visibility);
    return consumptions;
  }
}

/** The blackboard as the owner sees it. */
export class OwnersView extends VisibleStore implements OwnersStore {
  readonly #blackboard: BlackboardReader;

  constructor(blackboard: BlackboardReader) {
    super(blackboard, OWNER);
    this.#blackboard = blackboard;
  }

  as(principal: Principal): ReadableStore {
    return new VisibleStore(this.#blackboard, principal);
  }
}
