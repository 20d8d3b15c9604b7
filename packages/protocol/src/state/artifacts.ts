/** Event handlers for artifacts. */
import type { EventOf } from "../wire/events.ts";
import { type Draft, evictOldest } from "./draft.ts";
import type { StateLimits } from "./state.ts";

export function artifactPublished(draft: Draft, event: EventOf<"artifact_published">, limits: StateLimits): void {
  const known = draft.artifacts.get(event.artifact_id);
  if (!known && event.run_id !== undefined) {
    // Counted here because `agent_execution_completed` omits artifacts that some of its viewers may not see.
    draft.agent(event.produced_by).counters.published += 1;
  }
  if (event.visibility.kind !== "public" && limits.runs > 0) addToRun(draft, event);
  if (limits.artifacts === 0) return;
  const artifacts = draft.write("artifacts");
  // For a viewer who knew the artifact, a reveal changes only its visibility.
  artifacts.set(event.artifact_id, known && event.revealed ? { ...known, visibility: event.visibility } : event);
  evictOldest(artifacts, limits.artifacts);
}

/** Adds a restricted artifact to its run, because the end of the run omits it. */
function addToRun(draft: Draft, { run_id, artifact_id }: EventOf<"artifact_published">): void {
  const run = run_id === undefined ? undefined : draft.runs.get(run_id);
  if (!run || run.produced.includes(artifact_id)) return;
  draft.write("runs").set(run.run_id, { ...run, produced: [...run.produced, artifact_id] });
}
