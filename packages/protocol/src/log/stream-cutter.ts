/** Removes repeated text from streamed output. Free of dependencies, so that a browser client can bundle it alone. */
import type { EventOf, FlockEvent } from "../wire/events.ts";

/**
 * Returns how many UTF-16 code units at the start of a chunk the subscriber already has.
 *
 * @param known length of the stream that the subscriber has, in UTF-16 code units.
 */
export function overlapOf(known: number, { offset, content }: Pick<EventOf<"streaming_output">, "offset" | "content">) {
  return Math.min(content.length, Math.max(0, known - offset));
}

/**
 * Cuts from each chunk of a run's output what earlier chunks contained. The log compacts old chunks of a stream into one
 * event, so a subscriber that resumes in the middle of a stream can receive text a second time.
 *
 * @example
 * const cutter = new StreamCutter();
 * for (const event of events) show(cutter.apply(event));
 */
export class StreamCutter {
  /** Received UTF-16 code units of each unfinished stream, by run. */
  readonly #lengths = new Map<string, number>();

  /** Returns the event itself, or a copy without the repeated text. Expects events in the order of their `seq`. */
  apply(event: FlockEvent): FlockEvent {
    if (event.type === "agent_execution_completed") this.#lengths.delete(event.run_id);
    if (event.type !== "streaming_output") return event;
    const { run_id, offset, content } = event;
    const known = this.#lengths.get(run_id) ?? 0;
    if (event.is_complete) this.#lengths.delete(run_id);
    else this.#lengths.set(run_id, Math.max(known, offset + content.length));
    const overlap = overlapOf(known, event);
    return overlap > 0 ? { ...event, offset: offset + overlap, content: content.slice(overlap) } : event;
  }

  /** Forgets all streams. Call it when the subscriber continues with another log. */
  clear(): void {
    this.#lengths.clear();
  }
}
