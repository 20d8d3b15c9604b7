import type { ArtifactState, FlockEvent, RunState } from "@flock-ts/protocol";
import { gist } from "../ui/format.ts";

/** Strings that are known, in each of two generations. */
const GENERATION = 20_000;
/** What most events have in common. */
const NONE: readonly never[] = Object.freeze([]);
const PUBLIC = Object.freeze({ kind: "public" });
/** What is longer is a text, not a name, and comes once; UTF-16 code units. */
const NAME = 64;

/**
 * The same string for the same name: each event that arrives brings ids, types and times of its own, which are mostly those
 * of its neighbours. Names that have not come for long are forgotten.
 */
export class SameNames {
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** Replaces the names in an event that has just arrived by those that are known. */
  in(event: FlockEvent): void {
    const fields = event as unknown as Record<string, unknown>;
    for (const field in fields) {
      const value = fields[field];
      if (typeof value === "string") {
        if (value.length <= NAME) fields[field] = this.#same(value);
      } else if (Array.isArray(value) && value.length === 0) fields[field] = NONE;
      else if (Array.isArray(value)) {
        for (const [index, one] of value.entries()) {
          if (typeof one === "string" && one.length <= NAME) value[index] = this.#same(one);
        }
      }
    }
    if (event.type === "artifact_published" && event.visibility.kind === "public") fields.visibility = PUBLIC;
  }

  #same(name: string): string {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const known = this.#old.get(name) ?? name;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(known, known);
    return known;
  }
}

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

/** UTF-16 code units that are kept of a payload, and of a stream, whose events are no longer in the log. */
const GIST = 80;
const STREAM_END = 2_000;

/**
 * Lets go of an artifact's payload but for its gist: it is on the server, as if it had been too large for its event. In
 * place, because every state of the timeline has this very object.
 */
export function lightenArtifact(artifact: ArtifactState): void {
  const { payload, payload_bytes } = artifact;
  if (payload_bytes !== undefined || weightOfValue(payload) < NAME) return;
  const json = JSON.stringify(payload);
  // A slice of a text would keep all of it.
  Object.assign(artifact, {
    payload: JSON.parse(JSON.stringify(gist(payload).slice(0, GIST))),
    payload_bytes: json.length,
  });
}

/** Lets go of a stream but for its end, in place as well; and of the pieces that its text has been put together from. */
export function lightenRun(run: RunState | undefined): void {
  const stream = run?.stream;
  if (!stream) return;
  const text: string = JSON.parse(JSON.stringify(stream.text.slice(-STREAM_END)));
  Object.assign(run, { stream: { ...stream, text } });
}
