import type { ArtifactState, FlockEvent, RunState } from "@flock-ts/protocol";
import { preview } from "./preview.ts";

/** How much an event holds beside its names: UTF-16 code units of text, about. */
export function weightOf(event: FlockEvent): number {
  if (event.type === "streaming_output") return event.content.length;
  return event.type === "artifact_published" ? weightOfValue(event.payload) : 0;
}

function weightOfValue(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let weight = 0;
  for (const name in value) weight += 8 + weightOfValue((value as Record<string, unknown>)[name]);
  return weight;
}

/** Payloads below this size stay whole, in UTF-16 code units. */
const SMALL = 64;
/** UTF-16 code units that are kept of a payload, and of a stream, whose events are no longer in the log. */
const GIST = 80;
const STREAM_END = 2_000;

/**
 * Lets go of an artifact's payload but for its preview: it is on the server, as if it had been too large for its event. In
 * place, because every state of the timeline has this very object.
 */
export function trimArtifact(artifact: ArtifactState): void {
  const { payload, payload_bytes } = artifact;
  if (payload_bytes !== undefined || weightOfValue(payload) < SMALL) return;
  const json = JSON.stringify(payload);
  // A slice of a text would keep all of it.
  Object.assign(artifact, {
    payload: JSON.parse(JSON.stringify(preview(payload).slice(0, GIST))),
    payload_bytes: json.length,
  });
}

/** Lets go of a stream but for its end, in place as well; and of the pieces that its text has been put together from. */
export function trimRun(run: RunState | undefined): void {
  const stream = run?.stream;
  if (!stream) return;
  const text: string = JSON.parse(JSON.stringify(stream.text.slice(-STREAM_END)));
  Object.assign(run, { stream: { ...stream, text } });
}
