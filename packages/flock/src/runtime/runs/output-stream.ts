import { type EventDraft, MAX_NAME_LENGTH } from "@flock-ts/protocol";
import type { StreamOptions } from "../../agents/run-context.ts";
import { FlockError } from "../../core/errors.ts";

/**
 * Longest `content` of one event, in UTF-16 code units. Long enough that a whole answer is one frame, short enough
 * that a slow client gets it in steps and other runs come between.
 */
const MAX_CONTENT = 16_384;

/** A piece of a run's output, as an event. */
export type StreamingOutput = Extract<EventDraft, { type: "streaming_output" }>;

/** One run's stream: cuts text into events, counts offsets, and keeps surrogate pairs together. */
export class OutputStream {
  readonly #run: Pick<StreamingOutput, "agent_id" | "run_id" | "correlation_id">;
  readonly #emit: (event: StreamingOutput) => void;
  #offset = 0;
  /** The first half of a surrogate pair whose second half has not come yet. */
  #held = "";
  #label: Required<Pick<StreamOptions, "outputType">> & StreamOptions = { outputType: "text" };
  #begun = false;
  #ended = false;

  constructor(
    run: Pick<StreamingOutput, "agent_id" | "run_id" | "correlation_id">,
    emit: (event: StreamingOutput) => void,
  ) {
    this.#run = run;
    this.#emit = emit;
  }

  /** Adds text. Text after the end is dropped: the run is over for everyone who watches. */
  write(text: string, options: StreamOptions = {}): void {
    if (typeof text !== "string")
      throw new FlockError("invalid_options", `Failed to stream: the text is a ${typeof text}. Pass a string.`);
    if (this.#ended || text === "") return;
    this.#begun = true;
    const { outputType = "text", artifactType } = options;
    this.#label = {
      outputType: outputType.slice(0, MAX_NAME_LENGTH),
      ...(artifactType === undefined ? {} : { artifactType: artifactType.slice(0, MAX_NAME_LENGTH) }),
    };
    const all = this.#held + text;
    this.#held = "";
    for (let start = 0; start < all.length; ) {
      let end = Math.min(start + MAX_CONTENT, all.length);
      if (isHighSurrogate(all.charCodeAt(end - 1))) end -= 1;
      if (end === start) {
        this.#held = all.slice(start);
        return;
      }
      this.#send(all.slice(start, end), false);
      start = end;
    }
  }

  /** Ends the stream, if there is one, with the final piece. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#begun) this.#send(this.#held, true);
  }

  #send(content: string, isComplete: boolean): void {
    this.#emit({
      type: "streaming_output",
      ...this.#run,
      content,
      is_complete: isComplete,
      offset: this.#offset,
      output_type: this.#label.outputType,
      ...(this.#label.artifactType === undefined ? {} : { artifact_type: this.#label.artifactType }),
    });
    this.#offset += content.length;
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
