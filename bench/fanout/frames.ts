/** Counts WebSocket frames of a server (unmasked, RFC 6455 section 5.2) in a byte stream, and shows each payload. */
export class FrameReader {
  readonly #onFrame: (opcode: number, payload: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: (opcode: number, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next piece of the stream. The payload that is shown is a view: read it at once. */
  push(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + 2 <= data.length) {
      const short = (data[at + 1] as number) & 127;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + head > data.length) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      if (at + head + length > data.length) break;
      this.#onFrame((data[at] as number) & 15, data.subarray(at + head, at + head + length));
      at += head + length;
    }
    this.#rest = data.subarray(at);
  }
}

/** A masked text frame of a client, for messages under 126 bytes. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new RangeError("too long for a short frame");
  // A mask of zeros is a mask: the payload stays as it is.
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
