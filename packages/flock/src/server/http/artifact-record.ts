import type { ArtifactRecord } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../../blackboard/artifact.ts";

/** Converts an artifact to its wire format. */
export function recordOf(artifact: StoredArtifact, consumptions?: Map<string, Consumption[]>): ArtifactRecord {
  return {
    id: artifact.id,
    type: artifact.type,
    payload: artifact.payload,
    produced_by: artifact.producedBy,
    ...(artifact.runId === undefined ? {} : { run_id: artifact.runId }),
    correlation_id: artifact.correlationId,
    tags: [...artifact.tags],
    visibility: artifact.visibility,
    created_at: artifact.createdAt,
    seq: artifact.seq,
    ...(consumptions
      ? {
          consumptions: (consumptions.get(artifact.id) ?? []).map(({ agentId, runId, consumedAt }) => ({
            agent_id: agentId,
            run_id: runId,
            consumed_at: consumedAt,
          })),
        }
      : {}),
  };
}
