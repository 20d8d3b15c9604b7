import { constants, inflateRawSync } from "node:zlib";

/** The bytes that a sender omits at the end of each message (RFC 7692 section 7.2.1). */
const TAIL = Buffer.from([0, 0, 255, 255]);
/** Maximum window size. */
const WINDOW_BYTES = 32_768;

/** Returns a function that decompresses the messages of one connection in order. */
export function inflater(): (payload: Buffer) => Buffer {
  let window = Buffer.alloc(0);
  return (payload) => {
    const text = inflateRawSync(Buffer.concat([payload, TAIL]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(window.length > 0 ? { dictionary: window } : {}),
    });
    window = Buffer.concat([window, text]).subarray(-WINDOW_BYTES);
    return text;
  };
}
