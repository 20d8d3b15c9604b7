import type { ConnectionInfo } from "@flock-ts/protocol";
import type { Batch } from "../log/log-buffer.ts";

/** Converts frames of the log to what one kind of client reads. */
export interface Encoder {
  /** Encodes a batch. A client that receives it must have received all earlier batches of this encoder. */
  encode(batch: Batch): Batch;
}

/** A format that clients read. */
export interface Encoding {
  readonly name: ConnectionInfo["encoding"];
  /** Whether frames are sent unchanged, without work or copies. */
  readonly isPlain: boolean;
  /** Creates an encoder for clients that have received nothing yet. */
  begin(): Encoder;
}

const identity: Encoder = { encode: (batch) => batch };

/** WebSocket text frames, as the log stores them. */
export const PLAIN: Encoding = { name: "plain", isPlain: true, begin: () => identity };
