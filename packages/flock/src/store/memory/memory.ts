import { randomUUID } from "node:crypto";
import { type EventOf, maySee, OWNER, type Principal } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import { seal } from "../event-write.ts";
import type { ArtifactQuery, ArtifactQueryResult, ConsumptionWrite, Store, Write } from "../store.ts";
import { DeadLettersInMemory } from "./dead-letters.ts";

/** How many artifacts a page has when nobody says so. */
const DEFAULT_LIMIT = 50;

/** The blackboard in the memory of this process: the default, gone when the process ends. */
export function memoryStore(): Store {
  return new MemoryStore();
}

/** What is found by name, once somebody has asked for it. */
interface Index {
  readonly byId: Map<string, StoredArtifact>;
  readonly byType: Map<string, StoredArtifact[]>;
  /** By the artifact's id. */
  readonly consumptions: Map<string, Consumption[]>;
}

class MemoryStore implements Store {
  readonly epoch = randomUUID();
  #head = 0;
  /** In the order of the log, as what follows. */
  readonly #artifacts: StoredArtifact[] = [];
  /** Those that the index does not have, and of each the id of the artifact. */
  #consumptions: Consumption[] = [];
  #consumed: string[] = [];
  /** Most flocks without a server are never asked: made with the first question, and kept up with from then on. */
  #index: Index | undefined;
  readonly deadLetters = new DeadLettersInMemory();

  commit(writes: readonly Write[]): void {
    const before = this.#head;
    try {
      for (const write of writes) if (write.kind === "event") seal(write, ++this.#head);
    } catch (error) {
      this.#head = before;
      throw error;
    }
    for (const write of writes) {
      if (write.kind === "event") {
        if (write.artifact) this.#keep(write.artifact);
        if (write.reveals) reveal(write.reveals, write.event as EventOf<"artifact_published">);
      } else if (write.kind === "consumption") {
        this.#consume(write);
      } else this.deadLetters.apply(write);
      // Other activations, and gates, need no place here: what this process has to do dies with it.
    }
  }

  async getByType<T extends AnyArtifactType>(type: T, as: Principal = OWNER): Promise<PayloadOf<T>[]> {
    return this.readType(type.typeName, as).map(({ payload }) => payload as PayloadOf<T>);
  }

  readType(typeName: string, as: Principal): StoredArtifact[] {
    return (this.#indexed.byType.get(typeName) ?? []).filter(({ visibility }) => maySee(as, visibility));
  }

  async get(id: string, as: Principal = OWNER): Promise<StoredArtifact | undefined> {
    const artifact = this.#indexed.byId.get(id);
    return artifact && maySee(as, artifact.visibility) ? artifact : undefined;
  }

  async query(query: ArtifactQuery = {}, as: Principal = OWNER): Promise<ArtifactQueryResult> {
    const { limit = DEFAULT_LIMIT, offset = 0, cursor } = query;
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : parseCursor(cursor);
    const candidates = query.types
      ? [...new Set(query.types)].flatMap((type) => this.#indexed.byType.get(type) ?? []).sort((a, b) => a.seq - b.seq)
      : this.#artifacts;
    const found = candidates.filter((one) => maySee(as, one.visibility) && isWanted(query, one)).reverse();
    const rest = found.filter(({ seq }) => seq < before);
    const artifacts = rest.slice(offset, offset + limit);
    const last = artifacts.at(-1);
    const more = last !== undefined && offset + limit < rest.length;
    return { artifacts, total: found.length, nextCursor: more ? String(last.seq) : null };
  }

  async consumptionsOf(artifactIds: readonly string[], as: Principal = OWNER): Promise<Map<string, Consumption[]>> {
    const { byId, consumptions } = this.#indexed;
    return new Map(
      artifactIds.map((id) => {
        const artifact = byId.get(id);
        const isSeen = artifact !== undefined && maySee(as, artifact.visibility);
        return [id, (isSeen && consumptions.get(id)?.filter(({ visibility }) => maySee(as, visibility))) || []];
      }),
    );
  }

  close(): void {}

  #keep(artifact: StoredArtifact): void {
    this.#artifacts.push(artifact);
    if (this.#index) addArtifact(this.#index, artifact);
  }

  #consume({ artifacts, agentId, runId, consumedAt, visibility }: ConsumptionWrite): void {
    const consumption = { agentId, runId, consumedAt, visibility };
    for (const { id } of artifacts) {
      if (this.#index) addConsumption(this.#index, id, consumption);
      else {
        this.#consumptions.push(consumption);
        this.#consumed.push(id);
      }
    }
  }

  get #indexed(): Index {
    if (!this.#index) {
      this.#index = { byId: new Map(), byType: new Map(), consumptions: new Map() };
      for (const artifact of this.#artifacts) addArtifact(this.#index, artifact);
      for (const [i, id] of this.#consumed.entries())
        addConsumption(this.#index, id, this.#consumptions[i] as Consumption);
      this.#consumptions = [];
      this.#consumed = [];
    }
    return this.#index;
  }
}

function addArtifact({ byId, byType }: Index, artifact: StoredArtifact): void {
  byId.set(artifact.id, artifact);
  const ofType = byType.get(artifact.type);
  if (ofType) ofType.push(artifact);
  else byType.set(artifact.type, [artifact]);
}

function addConsumption({ consumptions }: Index, artifactId: string, consumption: Consumption): void {
  const known = consumptions.get(artifactId);
  if (known) known.push(consumption);
  else consumptions.set(artifactId, [consumption]);
}

/** From now on the artifact is seen by those whom the event reaches. */
function reveal(artifact: StoredArtifact, { visibility }: EventOf<"artifact_published">): void {
  (artifact as { visibility: StoredArtifact["visibility"] }).visibility = visibility;
}

function isWanted(query: ArtifactQuery, artifact: StoredArtifact): boolean {
  if (query.correlationId !== undefined && artifact.correlationId !== query.correlationId) return false;
  if (query.producedBy && !query.producedBy.includes(artifact.producedBy)) return false;
  if (query.tags && !query.tags.every((tag) => artifact.tags.includes(tag))) return false;
  if (query.visibility && !query.visibility.includes(artifact.visibility.kind)) return false;
  const created = Date.parse(artifact.createdAt);
  if (query.start && created < query.start.getTime()) return false;
  return !(query.end && created >= query.end.getTime());
}

function parseCursor(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new FlockError(
    "invalid_request",
    `cursor: ${JSON.stringify(cursor)} is not a cursor; give next_cursor of the page before`,
  );
}
