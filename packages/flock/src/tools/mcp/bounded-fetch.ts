/** Largest answer that is read from a server, in bytes: what the SDK allows a program on stdio as well. */
export const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** `fetch`, but an answer that is too large breaks off. Streams that a server keeps open, which answer no POST, may go on. */
export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.body || init?.method !== "POST") return response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes <= MAX_ANSWER_BYTES) controller.enqueue(chunk);
        else controller.error(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(counted, { status, statusText, headers });
}
