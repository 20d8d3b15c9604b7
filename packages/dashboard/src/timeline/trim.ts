import type { ArtifactState, FlockEvent, RunState } from "@flock-ts/protocol";
import { preview } from "./preview.ts";

/** Returns the approximate size of an event's text, in UTF-16 code units, without names. */
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
/** The retained length of a payload and of a stream whose events are evicted, in UTF-16 code units. */
const PREVIEW_LENGTH = 80;
const STREAM_END = 2_000;

/**
 * Reduces an artifact's payload to its preview, as if it had been too large for its event. Mutates the object,
 * because every state of the timeline shares it.
 */
export function trimArtifact(artifact: ArtifactState): void {
  const { payload, payload_bytes } = artifact;
  if (payload_bytes !== undefined || weightOfValue(payload) < SMALL) return;
  const json = JSON.stringify(payload);
  // A slice of a string would retain the whole string.
  Object.assign(artifact, {
    payload: JSON.parse(JSON.stringify(preview(payload).slice(0, PREVIEW_LENGTH))),
    payload_bytes: json.length,
  });
}

/** Reduces a stream to its end, also in place, and drops the chunks that form its text. */
export function trimRun(run: RunState | undefined): void {
  const stream = run?.stream;
  if (!stream) return;
  const text: string = JSON.parse(JSON.stringify(stream.text.slice(-STREAM_END)));
  Object.assign(run, { stream: { ...stream, text } });
}
