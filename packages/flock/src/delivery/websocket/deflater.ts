import { constants, deflateRawSync } from "node:zlib";
import { payloadsOf, writeFrame } from "../../log/frame.ts";
import type { Batch } from "../../log/log-buffer.ts";
import type { Encoder, Encoding } from "../encoding.ts";

/**
 * How far back a message may refer, as a power of two of bytes. 4 KiB hold the last ten to twenty events, and larger windows
 * find hardly more repetitions. Python's `websockets` requests the same size.
 */
export const WINDOW_BITS = 12;
/** The window without the bytes that zlib reserves at its end. */
const MAX_DICTIONARY = 2 ** WINDOW_BITS - 262;
/** The flush ends each message on a byte boundary (RFC 7692 section 7.2.1). Higher levels take longer and save hardly any bytes. */
const OPTIONS = { windowBits: WINDOW_BITS, memLevel: 5, level: 1, finishFlush: constants.Z_SYNC_FLUSH };
/** The length of the marker at the end of a flush, which a frame omits. */
const FLUSH_BYTES = 4;

const NOTHING = Buffer.alloc(0);

/**
 * Compresses messages for many clients at once (permessage-deflate, RFC 7692 section 7.2). A message may refer to earlier
 * ones. Instead of the state of a zlib stream, an encoder holds the last few KiB of text and passes them as a dictionary:
 * it needs so little memory that each of ten thousand cohorts can have one.
 */
export class Deflater implements Encoder {
  #dictionary: Buffer = NOTHING;

  encode({ frames, events, seq }: Batch): Batch {
    const pieces: Buffer[] = [];
    for (const payload of payloadsOf(frames)) {
      const dictionary = this.#dictionary.length > 0 ? { dictionary: this.#dictionary } : {};
      const deflated = deflateRawSync(payload, { ...OPTIONS, ...dictionary });
      const bytes = deflated.length - FLUSH_BYTES;
      // A payload that does not shrink is sent uncompressed, so the client's decompressor does not see it.
      if (bytes >= payload.length) {
        pieces.push(writeFrame(payload));
        continue;
      }
      pieces.push(writeFrame(deflated.subarray(0, bytes), true));
      this.#remember(payload);
    }
    return { frames: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces), events, seq };
  }

  #remember(payload: Buffer): void {
    const whole = payload.length >= MAX_DICTIONARY ? payload : Buffer.concat([this.#dictionary, payload]);
    // A copy, so that the dictionary does not keep a large payload in memory.
    this.#dictionary = Buffer.from(whole.subarray(-MAX_DICTIONARY));
  }
}

/** Compressed WebSocket text frames. */
export const DEFLATED: Encoding = { name: "deflated", isPlain: false, begin: () => new Deflater() };

const WINDOW = /^(?:8|9|1[0-5])$/;

/**
 * Returns the offers of a `Sec-WebSocket-Extensions` header that {@link Deflater} supports: references to earlier messages
 * are allowed, with a window of at least its size. Undefined without any.
 *
 * An offer that limits the server's window is returned with {@link WINDOW_BITS}, so that the response names this window.
 * Without a limit, the response must not name one: some clients refuse a parameter that they have not offered.
 */
export function supportedOffers(header: string): string | undefined {
  const supported = header
    .split(",")
    .map(supportedOffer)
    .filter((offer) => offer !== undefined);
  return supported.length > 0 ? supported.join(", ") : undefined;
}

/** Returns an offer as supported; undefined when it must be declined (RFC 7692 section 7.1). */
function supportedOffer(offer: string): string | undefined {
  const [name, ...parameters] = offer.split(";").map((part) => part.trim());
  if (name !== "permessage-deflate") return undefined;
  const names = new Set<string>();
  const supported = [name];
  for (const parameter of parameters) {
    const [, key = "", value] = /^([\w-]+)(?:\s*=\s*"?(\d+)"?)?$/.exec(parameter) ?? [];
    if (names.has(key)) return undefined;
    names.add(key);
    if (key === "client_no_context_takeover" && value === undefined) supported.push(key);
    else if (key === "client_max_window_bits" && (value === undefined || WINDOW.test(value))) supported.push(parameter);
    else if (key === "server_max_window_bits" && WINDOW.test(value ?? "") && Number(value) >= WINDOW_BITS) {
      supported.push(`${key}=${WINDOW_BITS}`);
    } else return undefined;
  }
  return supported.join("; ");
}
