import type { ConnectionInfo } from "@flock-ts/protocol";
import type { Batch } from "../log/log-buffer.ts";

/** Makes of the log's frames what one kind of client reads. */
export interface Encoder {
  /** Encodes a batch. Whoever gets it has been given all that this encoder has made before. */
  encode(batch: Batch): Batch;
}

/** A kind of client, by what it reads. */
export interface Encoding {
  readonly name: ConnectionInfo["encoding"];
  /** Whether the frames go out as they are: no work, no copy. */
  readonly isPlain: boolean;
  /** An encoder for those who have been given nothing yet. */
  begin(): Encoder;
}

const asItIs: Encoder = { encode: (batch) => batch };

/** WebSocket text frames, as the log has them. */
export const PLAIN: Encoding = { name: "plain", isPlain: true, begin: () => asItIs };
