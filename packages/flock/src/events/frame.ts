/** First byte of an unfragmented, uncompressed text frame (RFC 6455 section 5.2: FIN, opcode 1). */
const TEXT_FRAME = 0x81;
/** Says that a message is compressed (RFC 7692 section 6: RSV1). */
const COMPRESSED = 0x40;
/** The lengths from which a frame's header needs 2 or 8 more bytes (RFC 6455 section 5.2). */
const LENGTH_16 = 126;
const LENGTH_64 = 65_536;

/** How many bytes stand before a payload of `bytes` bytes in a frame from a server, which is never masked. */
export function headerSize(bytes: number): number {
  return bytes < LENGTH_16 ? 2 : bytes < LENGTH_64 ? 4 : 10;
}

/** Writes a text frame into `target` at `at`, where there must be room. `bytes` is the text's length as UTF-8. Returns the end. */
export function writeTextFrame(target: Buffer, at: number, text: string, bytes: number): number {
  const position = writeHeader(target, at, TEXT_FRAME, bytes);
  return position + target.write(text, position, bytes, "utf8");
}

/** A payload as a text frame of its own. */
export function writeFrame(payload: Buffer, isCompressed = false): Buffer {
  const size = headerSize(payload.length);
  const frame = Buffer.allocUnsafe(size + payload.length);
  writeHeader(frame, 0, isCompressed ? TEXT_FRAME | COMPRESSED : TEXT_FRAME, payload.length);
  payload.copy(frame, size);
  return frame;
}

function writeHeader(target: Buffer, at: number, first: number, bytes: number): number {
  target[at] = first;
  if (bytes < LENGTH_16) {
    target[at + 1] = bytes;
    return at + 2;
  }
  if (bytes < LENGTH_64) {
    target[at + 1] = 126;
    target.writeUInt16BE(bytes, at + 2);
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeBigUInt64BE(BigInt(bytes), at + 2);
  return at + 10;
}

/** The payloads of frames that {@link writeTextFrame} has written one after the other: views, not copies. */
export function* payloadsOf(frames: Buffer): Generator<Buffer> {
  for (let at = 0; at < frames.length; ) {
    const short = frames[at + 1] as number;
    const start = at + (short < LENGTH_16 ? 2 : short === 126 ? 4 : 10);
    const bytes =
      short < LENGTH_16 ? short : short === 126 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2));
    at = start + bytes;
    yield frames.subarray(start, at);
  }
}

/** The payloads of such frames as texts. */
export function* textsOf(frames: Buffer): Generator<string> {
  for (const payload of payloadsOf(frames)) yield payload.toString("utf8");
}

/** A text as a frame of its own. */
export function textFrame(text: string): Buffer {
  return writeFrame(Buffer.from(text));
}
