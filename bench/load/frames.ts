const LONGEST_SHORT = 125;

/** Finds WebSocket frames of a server (unmasked, RFC 6455 section 5.2) in a byte stream, and shows each payload. */
export class FrameReader {
  readonly #onFrame: (first: number, data: Buffer, start: number, end: number) => void;
  #rest: Buffer | undefined;

  /**
   * @param onFrame is shown a frame's first byte, and where in `data` its payload is. It must read it at once: the memory
   * is used again.
   */
  constructor(onFrame: (first: number, data: Buffer, start: number, end: number) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next piece of the stream. */
  push(chunk: Buffer): void {
    const data = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at + 2 <= data.length) {
      const short = (data[at + 1] as number) & 127;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + head > data.length) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      const start = at + head;
      const end = start + length;
      if (end > data.length) break;
      this.#onFrame(data[at] as number, data, start, end);
      at = end;
    }
    // A copy, for a few bytes must not hold a whole chunk: ten thousand clients may wait with them.
    this.#rest = at < data.length ? Buffer.from(data.subarray(at)) : undefined;
  }
}

/** A masked text frame of a client. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  // A mask of zeros is a mask: the payload stays as it is.
  const mask = Buffer.alloc(4);
  if (payload.length <= LONGEST_SHORT) {
    return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]);
  }
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, mask, payload]);
}

/** The answer to a ping without a payload. */
export const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
