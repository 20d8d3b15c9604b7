import { once } from "node:events";
import { createInflateRaw } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeFrame } from "../../log/frame.ts";
import { Deflater, supportedOffers, WINDOW_BITS } from "./deflater.ts";

/** A client's decompressor: one stream for all messages, with as small a window as was agreed. */
function decompressor() {
  const stream = createInflateRaw({ windowBits: WINDOW_BITS });
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  const failed = once(stream, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  return async (payload: Buffer) => {
    // What RFC 7692 section 7.2.2 has the receiver append.
    stream.write(Buffer.concat([payload, Buffer.from([0, 0, 255, 255])]));
    await Promise.race([new Promise<void>((resolve) => stream.flush(resolve)), failed]);
    return Buffer.concat(pieces.splice(0)).toString();
  };
}

/** The frames in a buffer: whether each is compressed, and its payload. */
function* framesIn(buffer: Buffer): Generator<{ compressed: boolean; payload: Buffer }> {
  for (let at = 0; at < buffer.length; ) {
    const short = buffer[at + 1] as number;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126 ? short : short === 126 ? buffer.readUInt16BE(at + 2) : Number(buffer.readBigUInt64BE(at + 2));
    yield { compressed: buffer[at] === 0xc1, payload: buffer.subarray(at + head, at + head + length) };
    at += head + length;
  }
}

const texts = fc.array(
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc
      .nat(50)
      .map((n) => JSON.stringify({ type: "streaming_output", seq: n, agent_id: "writer", content: `word${n}` })),
    fc.integer({ min: 3_500, max: 9_000 }).map((n) => "ab".repeat(n)),
    fc.uint8Array({ minLength: 4_000, maxLength: 9_000 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  ),
  { minLength: 1, maxLength: 12 },
);

describe("Deflater", () => {
  it("produces batches that any decompressor restores", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 5 }), async (batches) => {
        const deflater = new Deflater();
        const decompress = decompressor();
        for (const [i, batch] of batches.entries()) {
          const frames = Buffer.concat(batch.map((text) => writeFrame(Buffer.from(text))));
          const encoded = deflater.encode({ frames, events: batch.length, seq: i });
          expect(encoded).toMatchObject({ events: batch.length, seq: i });
          const read: string[] = [];
          for (const { compressed, payload } of framesIn(encoded.frames)) {
            read.push(compressed ? await decompress(payload) : payload.toString());
          }
          expect(read).toEqual(batch);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("refers to earlier messages, so that repeated text takes few bytes", () => {
    const deflater = new Deflater();
    const encode = (text: string) => {
      const { frames } = deflater.encode({ frames: writeFrame(Buffer.from(text)), events: 1, seq: 1 });
      return frames.length;
    };
    const text = JSON.stringify({ type: "streaming_output", run_id: crypto.randomUUID(), content: "a word" });
    const first = encode(text);
    expect(encode(text)).toBeLessThan(first / 4);
  });
});

describe("supportedOffers", () => {
  const plain = "permessage-deflate";
  it.for([
    [plain, plain],
    [`${plain}; client_max_window_bits`, `${plain}; client_max_window_bits`],
    [
      `${plain}; server_max_window_bits=12; client_max_window_bits=12`,
      `${plain}; server_max_window_bits=12; client_max_window_bits=12`,
    ],
    // The response repeats the parameter, with the window that the server uses.
    [`${plain}; server_max_window_bits=15`, `${plain}; server_max_window_bits=12`],
    [
      `${plain};client_no_context_takeover;server_max_window_bits="13"`,
      `${plain}; client_no_context_takeover; server_max_window_bits=12`,
    ],
    [`${plain}; server_max_window_bits=11`, undefined],
    [`${plain}; server_max_window_bits="9"; client_max_window_bits`, undefined],
    [`${plain}; server_max_window_bits=16`, undefined],
    [`${plain}; server_max_window_bits`, undefined],
    [`${plain}; client_max_window_bits=7`, undefined],
    [`${plain}; client_max_window_bits; client_max_window_bits`, undefined],
    [`${plain}; client_no_context_takeover=1`, undefined],
    [`${plain}; unknown`, undefined],
    [`${plain}; server_no_context_takeover`, undefined],
    [`${plain}; server_no_context_takeover, ${plain}`, plain],
    [
      `${plain}; server_max_window_bits=10, ${plain}; server_max_window_bits=15, ${plain}`,
      `${plain}; server_max_window_bits=12, ${plain}`,
    ],
    ["x-webkit-deflate-frame", undefined],
    ["permessage-deflate-2", undefined],
    ["", undefined],
  ] as const)("%s: %s", ([header, supported]) => {
    expect(supportedOffers(header)).toBe(supported);
  });
});
