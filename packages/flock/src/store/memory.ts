import { randomUUID } from "node:crypto";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { Consumption, StoredArtifact } from "../blackboard/stored-artifact.ts";
import { FlockError } from "../errors.ts";
import { seal } from "./event-write.ts";
import type { ArtifactQuery, ArtifactQueryResult, Store, Write } from "./store.ts";

/** How many artifacts a page has when nobody says so. */
const DEFAULT_LIMIT = 50;

/** The blackboard in the memory of this process: the default, gone when the process ends. */
export function memoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly epoch = randomUUID();
  #head = 0;
  readonly #artifacts = new Map<string, StoredArtifact>();
  readonly #byType = new Map<string, StoredArtifact[]>();
  readonly #consumptions = new Map<string, Consumption[]>();

  commit(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind === "event") {
        seal(write, ++this.#head);
        if (write.artifact) this.#keep(write.artifact);
      } else if (write.kind === "consumption") {
        const { agentId, runId, consumedAt } = write;
        for (const { id } of write.artifacts) addTo(this.#consumptions, id, { agentId, runId, consumedAt });
      }
      // Activations and gates need no place here: what this process has to do dies with it.
    }
  }

  async getByType<T extends AnyArtifactType>(type: T): Promise<PayloadOf<T>[]> {
    return (this.#byType.get(type.typeName) ?? []).map(({ payload }) => payload as PayloadOf<T>);
  }

  async get(id: string): Promise<StoredArtifact | undefined> {
    return this.#artifacts.get(id);
  }

  async query(query: ArtifactQuery = {}): Promise<ArtifactQueryResult> {
    const { limit = DEFAULT_LIMIT, offset = 0, cursor } = query;
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : parseCursor(cursor);
    const candidates = query.types
      ? [...new Set(query.types)].flatMap((type) => this.#byType.get(type) ?? []).sort((a, b) => a.seq - b.seq)
      : [...this.#artifacts.values()];
    const found = candidates.filter((artifact) => isWanted(query, artifact)).reverse();
    const rest = found.filter(({ seq }) => seq < before);
    const artifacts = rest.slice(offset, offset + limit);
    const last = artifacts.at(-1);
    const more = last !== undefined && offset + limit < rest.length;
    return { artifacts, total: found.length, nextCursor: more ? String(last.seq) : null };
  }

  async consumptionsOf(artifactIds: readonly string[]): Promise<Map<string, Consumption[]>> {
    return new Map(artifactIds.map((id) => [id, [...(this.#consumptions.get(id) ?? [])]]));
  }

  close(): void {}

  #keep(artifact: StoredArtifact): void {
    this.#artifacts.set(artifact.id, artifact);
    addTo(this.#byType, artifact.type, artifact);
  }
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

function addTo<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  // Most lists stay at one, and a list that begins empty makes room for seventeen.
  else lists.set(key, [value]);
}
