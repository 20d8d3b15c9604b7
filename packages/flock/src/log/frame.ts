/** First byte of an unfragmented, uncompressed text frame (RFC 6455 section 5.2: FIN, opcode 1). */
const TEXT_FRAME = 0x81;
/** Marks a compressed message (RFC 7692 section 6: RSV1). */
const COMPRESSED = 0x40;
/** From these payload lengths on, a frame header needs 2 or 8 more bytes (RFC 6455 section 5.2). */
const LENGTH_16 = 126;
const LENGTH_64 = 65_536;

/** Returns the header size of a frame with `bytes` bytes of payload. Frames of a server are never masked. */
function headerSize(bytes: number): number {
  return bytes < LENGTH_16 ? 2 : bytes < LENGTH_64 ? 4 : 10;
}

/** Returns the size of the frame of a text, in bytes. */
export function frameSize(text: string): number {
  const bytes = Buffer.byteLength(text);
  return headerSize(bytes) + bytes;
}

/** Returns an upper bound of the frame size without encoding the text: a UTF-16 code unit takes up to three bytes. */
export function frameSizeAtMost(text: string): number {
  return 10 + text.length * 3;
}

/** Writes a text frame into `target` at `at`, which must have room for it. Returns the end of the frame. */
export function writeTextFrame(target: Buffer, at: number, text: string): number {
  // Most events need a header of four bytes regardless of their content. Measuring them would cost more than writing them.
  const hasMiddleHeader = text.length >= LENGTH_16 && text.length * 3 < LENGTH_64;
  const start = at + (hasMiddleHeader ? 4 : headerSize(Buffer.byteLength(text)));
  const bytes = target.write(text, start, "utf8");
  writeHeader(target, at, TEXT_FRAME, bytes);
  return start + bytes;
}

/** Returns a text frame with this payload. */
export function writeFrame(payload: Buffer, isCompressed = false): Buffer {
  const size = headerSize(payload.length);
  const frame = Buffer.allocUnsafe(size + payload.length);
  writeHeader(frame, 0, isCompressed ? TEXT_FRAME | COMPRESSED : TEXT_FRAME, payload.length);
  payload.copy(frame, size);
  return frame;
}

function writeHeader(target: Buffer, at: number, first: number, bytes: number): void {
  target[at] = first;
  if (bytes < LENGTH_16) {
    target[at + 1] = bytes;
  } else if (bytes < LENGTH_64) {
    target[at + 1] = 126;
    target.writeUInt16BE(bytes, at + 2);
  } else {
    target[at + 1] = 127;
    target.writeBigUInt64BE(BigInt(bytes), at + 2);
  }
}

/** Yields the payloads of consecutive frames written by {@link writeTextFrame}: views of `frames`, not copies. */
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

/** Yields the payloads of such frames as text. */
export function* textsOf(frames: Buffer): Generator<string> {
  for (const payload of payloadsOf(frames)) yield payload.toString("utf8");
}

/** Returns a frame of a text. */
export function textFrame(text: string): Buffer {
  return writeFrame(Buffer.from(text));
}
