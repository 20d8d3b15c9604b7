/** Largest response that is read from a server, in bytes. The SDK has the same limit for programs on stdio. */
export const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** Fetches a URL and aborts a POST response that is too large. Event streams of GET requests are not limited. */
export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.body || init?.method !== "POST") return response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes <= MAX_ANSWER_BYTES) controller.enqueue(chunk);
        else controller.error(new Error(`the response is larger than ${MAX_ANSWER_BYTES} bytes`));
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(counted, { status, statusText, headers });
}
