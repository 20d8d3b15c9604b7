import type { Batch } from "../events/tail.ts";
import { Deflater } from "./deflater.ts";
import { EventStreamWriter } from "./event-stream-writer.ts";

/** Makes of the log's frames what one kind of client reads. */
export interface Encoder {
  /** Encodes a batch. Whoever gets it has been given all that this encoder has made before. */
  encode(batch: Batch): Batch;
}

/** A kind of client, by what it reads. */
export interface Encoding {
  readonly name: string;
  /** Whether the frames go out as they are: no work, no copy. */
  readonly isPlain: boolean;
  /** An encoder for those who have been given nothing yet. */
  begin(): Encoder;
}

const asItIs: Encoder = { encode: (batch) => batch };

/** WebSocket text frames, as the log has them. */
export const PLAIN: Encoding = { name: "plain", isPlain: true, begin: () => asItIs };

/** WebSocket text frames, compressed (RFC 7692). */
export const DEFLATED: Encoding = { name: "deflated", isPlain: false, begin: () => new Deflater() };

/** Server-Sent Events of the log `epoch`. */
export function eventStreamOf(epoch: string): Encoding {
  const writer = new EventStreamWriter(epoch);
  return { name: "event-stream", isPlain: false, begin: () => writer };
}
