import type { EventVisibility, Principal } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../../blackboard/artifact.ts";
import type { ArtifactQuery, ArtifactQueryResult, BlackboardReader } from "../queries.ts";
import { type ArtifactRow, artifactOf, artifactQuery, COLUMNS, cursorAfter, type Found } from "./artifact-rows.ts";
import type { Connection } from "./connection.ts";
import { onlyFor } from "./may-see.ts";

interface ConsumptionRow {
  readonly agent_id: string;
  readonly run_id: string;
  readonly consumed_at: number;
  readonly visibility: string | null;
}

/** The artifacts and consumptions in the file. */
export class SqliteBlackboard implements BlackboardReader {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  getByType(typeName: string, as: Principal): Promise<Pick<StoredArtifact, "payload" | "visibility">[]> {
    const { and, values } = onlyFor(as);
    return this.#connection.read(() =>
      this.#connection
        .all<{ payload: string; visibility: string }>(
          `SELECT payload, visibility FROM artifacts WHERE type = ?${and} ORDER BY seq`,
          typeName,
          ...values,
        )
        .map(({ payload, visibility }) => ({ payload: JSON.parse(payload), visibility: JSON.parse(visibility) })),
    );
  }

  get(id: string, as: Principal): Promise<StoredArtifact | undefined> {
    const { and, values } = onlyFor(as);
    return this.#connection.read(() => {
      const sql = `SELECT ${COLUMNS} FROM artifacts WHERE id = ?${and}`;
      const [row] = this.#connection.all<ArtifactRow>(sql, id, ...values);
      return row && artifactOf(row);
    });
  }

  async query(query: ArtifactQuery, as: Principal): Promise<ArtifactQueryResult> {
    const { count, page, limit, known } = artifactQuery(query, as);
    return this.#connection.read(() => {
      // Prepared each time: there are as many statements as there are ways to ask.
      const ask = ({ sql, values }: typeof count) => this.#connection.db.prepare(sql).all(...values) as unknown[];
      // The cursor carries the total: counting again would make every page as expensive as the whole.
      const found = known ?? (ask(count)[0] as Found);
      const rows = ask(page(found)) as ArtifactRow[];
      const artifacts = rows.slice(0, limit).map(artifactOf);
      const last = artifacts.at(-1);
      const nextCursor = last && rows.length > limit ? cursorAfter(last.seq, found) : null;
      return { artifacts, total: found.total, nextCursor };
    });
  }

  consumptionsOf(artifactIds: readonly string[], as: Principal): Promise<Map<string, Consumption[]>> {
    const { and, values } = onlyFor(as);
    const sql = `SELECT agent_id, run_id, consumed_at, visibility FROM consumptions
      WHERE artifact_seq = (SELECT seq FROM artifacts WHERE id = ?${and})${and} ORDER BY consumed_at, run_id`;
    return this.#connection.read(
      () =>
        new Map(
          artifactIds.map((id) => [
            id,
            this.#connection.all<ConsumptionRow>(sql, id, ...values, ...values).map(consumptionOf),
          ]),
        ),
    );
  }
}

function consumptionOf({ agent_id, run_id, consumed_at, visibility }: ConsumptionRow): Consumption {
  return {
    agentId: agent_id,
    runId: run_id,
    consumedAt: new Date(consumed_at).toISOString(),
    visibility: visibility === null ? undefined : (JSON.parse(visibility) as EventVisibility),
  };
}
