import { maySee, type Principal, type Visibility } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../../blackboard/artifact.ts";
import { FlockError } from "../../core/errors.ts";
import type { ArtifactQuery, ArtifactQueryResult, BlackboardReader } from "../queries.ts";
import type { ConsumptionWrite } from "../writes.ts";

/** How many artifacts a page holds by default. */
const DEFAULT_LIMIT = 50;

/** Finds artifacts by name. */
interface Index {
  readonly byId: Map<string, StoredArtifact>;
  readonly byType: Map<string, StoredArtifact[]>;
  /** By the artifact's id. */
  readonly consumptions: Map<string, Consumption[]>;
}

/** Artifacts and consumptions in memory. */
export class BlackboardInMemory implements BlackboardReader {
  /** In the order of the log. */
  readonly #artifacts: StoredArtifact[] = [];
  /** The consumptions that are not in the index, and the artifact id of each. */
  #consumptions: Consumption[] = [];
  #consumed: string[] = [];
  /** Built on the first read and kept up to date from then on: most flocks without a server never read. */
  #index: Index | undefined;

  add(artifact: StoredArtifact): void {
    this.#artifacts.push(artifact);
    if (this.#index) addArtifact(this.#index, artifact);
  }

  consume({ artifacts, agentId, runId, consumedAt, visibility }: ConsumptionWrite): void {
    const consumption = { agentId, runId, consumedAt, visibility };
    for (const { id } of artifacts) {
      if (this.#index) addConsumption(this.#index, id, consumption);
      else {
        this.#consumptions.push(consumption);
        this.#consumed.push(id);
      }
    }
  }

  /** Gives an artifact another visibility. */
  reveal(id: string, visibility: Visibility): void {
    const { byId, byType } = this.#indexed;
    const before = byId.get(id);
    if (!before) return;
    const after: StoredArtifact = Object.freeze({ ...before, visibility });
    byId.set(id, after);
    for (const list of [this.#artifacts, byType.get(after.type) ?? []]) list[indexOf(list, after.seq)] = after;
  }

  /** Returns an artifact as it is now. */
  readonly current = (artifact: StoredArtifact): StoredArtifact => this.#indexed.byId.get(artifact.id) ?? artifact;

  async getByType(typeName: string, as: Principal): Promise<StoredArtifact[]> {
    return (this.#indexed.byType.get(typeName) ?? []).filter(({ visibility }) => maySee(as, visibility));
  }

  async get(id: string, as: Principal): Promise<StoredArtifact | undefined> {
    const artifact = this.#indexed.byId.get(id);
    return artifact && maySee(as, artifact.visibility) ? artifact : undefined;
  }

  async query(query: ArtifactQuery, as: Principal): Promise<ArtifactQueryResult> {
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

  async consumptionsOf(artifactIds: readonly string[], as: Principal): Promise<Map<string, Consumption[]>> {
    const { byId, consumptions } = this.#indexed;
    return new Map(
      artifactIds.map((id) => {
        const artifact = byId.get(id);
        const isSeen = artifact !== undefined && maySee(as, artifact.visibility);
        return [id, (isSeen && consumptions.get(id)?.filter(({ visibility }) => maySee(as, visibility))) || []];
      }),
    );
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

/** Returns the index of the artifact with a seq, in a list in the order of the log. */
function indexOf(list: readonly StoredArtifact[], seq: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as StoredArtifact).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
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
    `Invalid \`cursor\`: ${JSON.stringify(cursor)}. Pass \`next_cursor\` of the previous page.`,
  );
}
