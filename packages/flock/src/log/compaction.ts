import { type EventOf, encodeMerged, type FlockEvent, isAtLeastAsVisible, mergedSeqs } from "@flock-ts/protocol";

/** The longest content of a compacted event, in UTF-16 code units. */
const MAX_CONTENT = 65_536;

/** Chunks of the stream of one run that become one event. */
interface Merging {
  /** The index of the newest chunk, and of the compacted event. */
  at: number;
  newest: EventOf<"streaming_output">;
  length: number;
  readonly offset: number;
  readonly contents: string[];
  /** The seqs of all chunks, ascending. */
  readonly seqs: number[];
}

/**
 * Merges the stream of each run into few large events. A compacted event has the seq of its last chunk, so that a client
 * that has not received all chunks receives it. Its `offset` is that of the first chunk: a client that has a part of the
 * text continues from there. `merged` lists the seqs that no longer exist.
 */
export function compact(events: readonly FlockEvent[]): FlockEvent[] {
  const streams = new Map<string, Merging>();
  const slots: (FlockEvent | Merging | undefined)[] = [];
  for (const event of events) {
    if (event.type !== "streaming_output") {
      slots.push(event);
      continue;
    }
    let merging = streams.get(event.run_id);
    if (merging && continues(merging, event)) {
      slots[merging.at] = undefined;
    } else {
      merging = { at: 0, newest: event, length: 0, offset: event.offset, contents: [], seqs: [] };
      streams.set(event.run_id, merging);
    }
    merging.at = slots.length;
    merging.newest = event;
    merging.length += event.content.length;
    merging.contents.push(event.content);
    merging.seqs.push(...mergedSeqs(event).reverse(), event.seq);
    slots.push(merging);
  }
  return slots.filter((slot) => slot !== undefined).map((slot) => ("contents" in slot ? mergedEvent(slot) : slot));
}

function mergedEvent({ newest, contents, offset, seqs }: Merging): FlockEvent {
  if (contents.length === 1) return newest;
  return { ...newest, content: contents.join(""), offset, merged: encodeMerged(seqs) };
}

function continues({ length, newest }: Merging, event: EventOf<"streaming_output">): boolean {
  return (
    length + event.content.length <= MAX_CONTENT &&
    newest.offset + newest.content.length === event.offset &&
    newest.output_type === event.output_type &&
    newest.artifact_type === event.artifact_type &&
    // Both are visible to the same principals.
    isAtLeastAsVisible(newest.visibility, event.visibility) &&
    isAtLeastAsVisible(event.visibility, newest.visibility)
  );
}
