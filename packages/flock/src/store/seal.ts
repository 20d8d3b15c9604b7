import { type FlockEvent, MAX_EVENT_BYTES } from "@flock-ts/protocol";
import type { SealedEvent } from "./store.ts";
import type { EventWrite } from "./writes.ts";

/** In an event that is too large, how many characters of a text, items of a list and fields of an object are kept. */
const KEPT = { characters: 2_000, items: 1_000, fields: 100 };
/** How deeply an event is shortened. Errors have causes of four levels. */
const DEPTH = 6;

/**
 * Encodes an event with its `seq`. Nothing is copied: `seq` is put in front of the encoded event, and a payload, which
 * is JSON already, at its end. To encode a payload again would be the most expensive step of a commit.
 *
 * No event is larger than {@link MAX_EVENT_BYTES}: a client with a smaller limit could never read beyond it.
 */
export function seal(write: EventWrite, seq: number): SealedEvent {
  const { event, payloadJson } = write;
  const json = withPayload(withSeq(event, seq), payloadJson);
  if (isSmall(json)) return { write, seq, json };
  if (payloadJson !== undefined) {
    const left = withSeq({ ...event, payload_bytes: Buffer.byteLength(payloadJson) } as FlockEvent, seq);
    if (isSmall(left)) return { write, seq, json: left };
  }
  return { write, seq, json: withSeq(shortened(event), seq) };
}

function isSmall(json: string): boolean {
  // A UTF-16 code unit takes at most three bytes, so short texts need no measuring.
  return json.length * 3 <= MAX_EVENT_BYTES || Buffer.byteLength(json) <= MAX_EVENT_BYTES;
}

function withPayload(json: string, payloadJson: string | undefined): string {
  return payloadJson === undefined ? json : `${json.slice(0, -1)},"payload":${payloadJson}}`;
}

function withSeq(event: FlockEvent, seq: number): string {
  const json = JSON.stringify(event);
  const start = `{"type":"${event.type}","seq":`;
  // All events of ours begin like this. Another order of fields costs a copy.
  if (!json.startsWith(`${start}0,`)) return JSON.stringify({ ...event, seq });
  return `${start}${seq}${json.slice(start.length + 1)}`;
}

/** Returns an event with shorter fields, and their names in `truncated`. */
function shortened(event: FlockEvent): FlockEvent {
  const truncated: string[] = [];
  const fields = Object.entries(event).map(([name, value]) => {
    // The visibility decides who may see the event.
    const short = name === "visibility" ? value : shorten(value, DEPTH);
    if (JSON.stringify(short) !== JSON.stringify(value)) truncated.push(name);
    return [name, short];
  });
  return { ...Object.fromEntries(fields), truncated };
}

function shorten(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.slice(0, KEPT.characters).toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.slice(0, KEPT.items).map((item) => shorten(item, depth - 1));
  const fields = Object.entries(value).slice(0, KEPT.fields);
  return Object.fromEntries(
    fields.map(([name, field]) => [name.slice(0, KEPT.characters).toWellFormed(), shorten(field, depth - 1)]),
  );
}
