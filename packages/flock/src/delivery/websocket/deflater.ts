import { constants, deflateRawSync } from "node:zlib";
import { payloadsOf, writeFrame } from "../../log/frame.ts";
import type { Batch } from "../../log/log-buffer.ts";
import type { Encoder, Encoding } from "../encoding.ts";

/**
 * How far back a message may refer, as a power of two, in bytes: 4 KiB hold the last ten or twenty events, which is all
 * that makes them alike, and Python's `websockets` asks for no more.
 */
export const WINDOW_BITS = 12;
/** The window less what zlib keeps free at its end. */
const MAX_DICTIONARY = 2 ** WINDOW_BITS - 262;
/** Ends each message on a byte, as RFC 7692 section 7.2.1 wants it; higher levels take longer and save next to nothing. */
const OPTIONS = { windowBits: WINDOW_BITS, memLevel: 5, level: 1, finishFlush: constants.Z_SYNC_FLUSH };
/** What a flush ends with, and a frame leaves out. */
const FLUSH_BYTES = 4;

const NOTHING = Buffer.alloc(0);

/**
 * Compresses messages for many clients at once (permessage-deflate, RFC 7692 section 7.2). Each may refer to those
 * before it. zlib keeps that as the state of a stream; here it is no more than the last few KiB of text, which are given
 * as a dictionary: so an encoder costs no memory to speak of, and ten thousand cohorts may have one each.
 */
export class Deflater implements Encoder {
  #dictionary: Buffer = NOTHING;

  encode({ frames, events, seq }: Batch): Batch {
    const pieces: Buffer[] = [];
    for (const payload of payloadsOf(frames)) {
      const dictionary = this.#dictionary.length > 0 ? { dictionary: this.#dictionary } : {};
      const deflated = deflateRawSync(payload, { ...OPTIONS, ...dictionary });
      const bytes = deflated.length - FLUSH_BYTES;
      // What does not shrink goes as it is, and is then no part of what the client's decompressor has seen.
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
    // A copy, so that a kilobyte does not keep a megabyte alive.
    this.#dictionary = Buffer.from(whole.subarray(-MAX_DICTIONARY));
  }
}

/** WebSocket text frames, compressed. */
export const DEFLATED: Encoding = { name: "deflated", isPlain: false, begin: () => new Deflater() };

const OFFER = /^\s*permessage-deflate\s*(?:;|$)/i;
const UNWANTED = /;\s*(?:server_no_context_takeover|server_max_window_bits\s*=\s*"?(?:8|9|10|11)"?\s*(?:;|$))/i;

/**
 * Whether a `Sec-WebSocket-Extensions` header has an offer that {@link Deflater} can serve: one that allows
 * references to earlier messages, as far back as ours go.
 */
export function offersDeflate(header: string): boolean {
  return header.split(",").some((offer) => OFFER.test(offer) && !UNWANTED.test(offer));
}
