import type { ArtifactState } from "@flock-ts/protocol";
import type { Params } from "../../router/route.ts";
import { preview } from "../../timeline/preview.ts";

/** The sortable columns. */
export type Column = "published" | "type" | "producer";

/** Returns the filtered artifacts in order. `sort` is a column, with the prefix `-` for descending order. */
export function listed(artifacts: Iterable<ArtifactState>, params: Params): ArtifactState[] {
  const { workflow, agent, type, tag, q, sort = "-published" } = params;
  const text = q?.toLowerCase();
  const list: ArtifactState[] = [];
  for (const artifact of artifacts) {
    if (workflow && artifact.correlation_id !== workflow) continue;
    if (agent && artifact.produced_by !== agent) continue;
    if (type && artifact.artifact_type !== type) continue;
    if (tag && !artifact.tags.includes(tag)) continue;
    if (text && !isFound(artifact, text)) continue;
    list.push(artifact);
  }
  const column = sort.replace(/^-/, "");
  // In the order in which they were published.
  if (column === "type" || column === "producer") {
    const of = column === "type" ? "artifact_type" : "produced_by";
    list.sort((a, b) => (a[of] < b[of] ? -1 : a[of] > b[of] ? 1 : a.seq - b.seq));
  }
  return sort.startsWith("-") ? list.reverse() : list;
}

function isFound(artifact: ArtifactState, text: string): boolean {
  return (
    artifact.artifact_id.includes(text) ||
    artifact.artifact_type.toLowerCase().includes(text) ||
    artifact.tags.some((tag) => tag.toLowerCase().includes(text)) ||
    preview(artifact.payload).toLowerCase().includes(text)
  );
}
