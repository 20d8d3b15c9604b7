/** First byte of an unfragmented, uncompressed text frame (RFC 6455 section 5.2: FIN, opcode 1). */
const TEXT_FRAME = 0x81;
/** Says that a message is compressed (RFC 7692 section 6: RSV1). */
const COMPRESSED = 0x40;
/** The lengths from which a frame's header needs 2 or 8 more bytes (RFC 6455 section 5.2). */
const LENGTH_16 = 126;
const LENGTH_64 = 65_536;

/** How many bytes stand before a payload of `bytes` bytes in a frame from a server, which is never masked. */
function headerSize(bytes: number): number {
  return bytes < LENGTH_16 ? 2 : bytes < LENGTH_64 ? 4 : 10;
}

/** How many bytes the frame of a text takes. */
export function frameSize(text: string): number {
  const bytes = Buffer.byteLength(text);
  return headerSize(bytes) + bytes;
}

/** How many bytes it takes at most, without a look at the text: a UTF-16 code unit takes up to three. */
export function frameSizeAtMost(text: string): number {
  return 10 + text.length * 3;
}

/** Writes a text frame into `target` at `at`, where there must be room. Returns the end. */
export function writeTextFrame(target: Buffer, at: number, text: string): number {
  // Most events need a header of four bytes whatever is in them: to measure those would cost more than to write them.
  const isMiddling = text.length >= LENGTH_16 && text.length * 3 < LENGTH_64;
  const start = at + (isMiddling ? 4 : headerSize(Buffer.byteLength(text)));
  const bytes = target.write(text, start, "utf8");
  writeHeader(target, at, TEXT_FRAME, bytes);
  return start + bytes;
}

/** A payload as a text frame of its own. */
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

/** The payloads of frames that {@link writeTextFrame} has written one after the other: scopes, not copies. */
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
