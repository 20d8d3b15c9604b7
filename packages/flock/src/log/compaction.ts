import { type EventOf, encodeMerged, type FlockEvent, isAtLeastAsVisible, mergedSeqs } from "@flock-ts/protocol";

/** Longest content of a merged event, in UTF-16 code units. */
const MAX_CONTENT = 65_536;

/** Pieces of one run's stream that become one event. */
interface Merging {
  /** Where the newest piece stands, and so the merged event. */
  at: number;
  newest: EventOf<"streaming_output">;
  length: number;
  readonly offset: number;
  readonly contents: string[];
  /** The numbers of all pieces, ascending. */
  readonly seqs: number[];
}

/**
 * Merges what each run has streamed into few large events. A merged event stands where its last piece stood, so that
 * whoever has not seen all of it gets it; its `offset` is that of its first piece and tells who has seen a part where to
 * go on, and `merged` whose numbers no longer come.
 */
export function compact(events: readonly FlockEvent[]): FlockEvent[] {
  const streams = new Map<string, Merging>();
  const places: (FlockEvent | Merging | undefined)[] = [];
  for (const event of events) {
    if (event.type !== "streaming_output") {
      places.push(event);
      continue;
    }
    let merging = streams.get(event.run_id);
    if (merging && goesOn(merging, event)) {
      places[merging.at] = undefined;
    } else {
      merging = { at: 0, newest: event, length: 0, offset: event.offset, contents: [], seqs: [] };
      streams.set(event.run_id, merging);
    }
    merging.at = places.length;
    merging.newest = event;
    merging.length += event.content.length;
    merging.contents.push(event.content);
    merging.seqs.push(...mergedSeqs(event).reverse(), event.seq);
    places.push(merging);
  }
  return places
    .filter((place) => place !== undefined)
    .map((place) => ("contents" in place ? mergedEvent(place) : place));
}

function mergedEvent({ newest, contents, offset, seqs }: Merging): FlockEvent {
  if (contents.length === 1) return newest;
  return { ...newest, content: contents.join(""), offset, merged: encodeMerged(seqs) };
}

function goesOn({ length, newest }: Merging, event: EventOf<"streaming_output">): boolean {
  return (
    length + event.content.length <= MAX_CONTENT &&
    newest.offset + newest.content.length === event.offset &&
    newest.output_type === event.output_type &&
    newest.artifact_type === event.artifact_type &&
    // Whoever may see one of them may see the other.
    isAtLeastAsVisible(newest.visibility, event.visibility) &&
    isAtLeastAsVisible(event.visibility, newest.visibility)
  );
}
