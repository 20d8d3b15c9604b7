import type { ControlMessage } from "@flock-ts/protocol";
import { textsOf } from "../../log/frame.ts";
import type { Batch } from "../../log/log-buffer.ts";
import { seqOf } from "../../log/seq-of.ts";
import type { Encoder, Encoding } from "../encoding.ts";

/** Writes Server-Sent Events: `data` is the JSON of the WebSocket, `id` the cursor (WHATWG HTML section 9.2). */
export class EventStreamWriter implements Encoder, Encoding {
  readonly name = "event-stream";
  readonly isPlain = false;
  readonly #epoch: string;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** Its output never refers to earlier output, so one encoder serves all clients. */
  begin(): Encoder {
    return this;
  }

  encode({ frames, events, seq }: Batch): Batch {
    let text = "";
    for (const json of textsOf(frames)) text += this.#event(json, seqOf(json));
    return { frames: Buffer.from(text), events, seq };
  }

  /**
   * Encodes a message that is not part of the log.
   * @param cursor the seq after which the client resumes if the connection breaks after this message.
   */
  message(message: ControlMessage, cursor?: number): Buffer {
    return Buffer.from(this.#event(JSON.stringify(message), cursor));
  }

  #event(json: string, seq: number | undefined): string {
    // JSON text contains no line breaks, so one line of data is enough. The id comes last: some clients take it at once, and
    // would miss the event if the connection broke within its data.
    return seq === undefined ? `data: ${json}\n\n` : `data: ${json}\nid: ${this.#epoch}:${seq}\n\n`;
  }
}

/** Keeps an idle connection open. Clients ignore it. */
export const COMMENT = Buffer.from(":\n\n");

/** Encodes how long the client waits before it reconnects, in ms. */
export function retryAfter(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}

/** Returns the cursor in a `Last-Event-ID` header; undefined if this server has not written it. */
export function cursorOf(id: string): { readonly epoch: string; readonly since: number } | undefined {
  const [, epoch, seq] = /^(.+):(\d{1,15})$/.exec(id) ?? [];
  return epoch === undefined ? undefined : { epoch, since: Number(seq) };
}
