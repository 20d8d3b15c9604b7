import type { ControlMessage } from "@flock-ts/protocol";
import { textsOf } from "../../log/frame.ts";
import type { Batch } from "../../log/log-buffer.ts";
import { seqOf } from "../../log/seq-of.ts";
import type { Encoder, Encoding } from "../encoding.ts";

/** Writes Server-Sent Events: the same JSON in `data`, and the place in the log as `id` (WHATWG HTML section 9.2). */
export class EventStreamWriter implements Encoder, Encoding {
  readonly name = "event-stream";
  readonly isPlain = false;
  readonly #epoch: string;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** Nothing that it writes refers to what it has written: one serves everybody. */
  begin(): Encoder {
    return this;
  }

  encode({ frames, events, seq }: Batch): Batch {
    let text = "";
    for (const json of textsOf(frames)) text += this.#event(json, seqOf(json));
    return { frames: Buffer.from(text), events, seq };
  }

  /** A message that is not in the log. `at`: where the client goes on when the connection breaks after it. */
  message(message: ControlMessage, at?: number): Buffer {
    return Buffer.from(this.#event(JSON.stringify(message), at));
  }

  /** Tells the client its place, and nothing else. */
  place(seq: number): Buffer {
    return Buffer.from(`id: ${this.#epoch}:${seq}\n\n`);
  }

  #event(json: string, seq: number | undefined): string {
    // JSON has no line breaks of its own, so one line of data is enough.
    return seq === undefined ? `data: ${json}\n\n` : `id: ${this.#epoch}:${seq}\ndata: ${json}\n\n`;
  }
}

/** Keeps a silent connection open; the client sees nothing of it. */
export const COMMENT = Buffer.from(":\n\n");

/** How long the client is to wait before it comes back, in ms. */
export function retryAfter(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}

/** The place that an `id` of ours names, as the client says it in `Last-Event-ID`; undefined where it is not of ours. */
export function placeOf(id: string): { readonly epoch: string; readonly since: number } | undefined {
  const [, epoch, seq] = /^(.+):(\d{1,15})$/.exec(id) ?? [];
  return epoch === undefined ? undefined : { epoch, since: Number(seq) };
}
