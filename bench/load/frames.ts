const LONGEST_SHORT = 125;

/** Parses a server's WebSocket frames (unmasked, RFC 6455 section 5.2) in a byte stream. */
export class FrameReader {
  readonly #onFrame: (first: number, data: Buffer, start: number, end: number) => void;
  #rest: Buffer | undefined;

  /**
   * @param onFrame receives a frame's first byte and the position of its payload in `data`. It must read the payload
   * synchronously, because the memory is reused.
   */
  constructor(onFrame: (first: number, data: Buffer, start: number, end: number) => void) {
    this.#onFrame = onFrame;
  }

  /** Parses the next chunk of the stream. */
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
    // Copy, so that a few bytes don't keep a whole chunk alive for each of ten thousand clients.
    this.#rest = at < data.length ? Buffer.from(data.subarray(at)) : undefined;
  }
}

/** Returns a masked text frame of a client. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  // A mask of zeros is valid and leaves the payload unchanged.
  const mask = Buffer.alloc(4);
  if (payload.length <= LONGEST_SHORT) {
    return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]);
  }
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, mask, payload]);
}

/** Pong frame without a payload. */
export const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
