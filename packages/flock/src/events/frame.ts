/** First byte of an unfragmented, uncompressed text frame (RFC 6455 section 5.2: FIN, opcode 1). */
const TEXT_FRAME = 0x81;
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
  target[at] = TEXT_FRAME;
  if (bytes < LENGTH_16) {
    target[at + 1] = bytes;
  } else if (bytes < LENGTH_64) {
    target[at + 1] = 126;
    target.writeUInt16BE(bytes, at + 2);
  } else {
    target[at + 1] = 127;
    target.writeBigUInt64BE(BigInt(bytes), at + 2);
  }
  return start + bytes;
}

/** The texts of frames that {@link writeTextFrame} has written one after the other. */
export function* textsOf(frames: Buffer): Generator<string> {
  for (let at = 0; at < frames.length; ) {
    const short = frames[at + 1] as number;
    const start = at + (short < LENGTH_16 ? 2 : short === 126 ? 4 : 10);
    const bytes =
      short < LENGTH_16 ? short : short === 126 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2));
    at = start + bytes;
    yield frames.toString("utf8", start, at);
  }
}

/** A text as a frame of its own. */
export function textFrame(text: string): Buffer {
  const frame = Buffer.allocUnsafe(frameSize(text));
  writeTextFrame(frame, 0, text);
  return frame;
}
