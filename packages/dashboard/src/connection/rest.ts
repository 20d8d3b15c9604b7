import type { ErrorBody, Issue } from "@flock-ts/protocol";

/** What the server has refused: its own words, and its code for programs. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  readonly issues: readonly Issue[];

  constructor(url: string, status: number, body: Partial<ErrorBody> = {}) {
    super(body.message ?? `${url} answered ${status}`);
    this.code = body.code ?? String(status);
    this.issues = body.issues ?? [];
  }
}

/** The server's answer to a request. @throws Refusal, or the browser's own error when there was no answer. */
export async function getJson<T>(url: string): Promise<T> {
  return answerOf(url, await fetch(url));
}

/** Asks the server to do something, and gives its answer. @throws as `getJson` does. */
export async function sendJson<T>(
  url: string,
  body?: unknown,
  options: { readonly method?: "POST" | "DELETE"; readonly signal?: AbortSignal } = {},
): Promise<T> {
  const said =
    body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return answerOf(url, await fetch(url, { method: "POST", ...options, ...said }));
}

async function answerOf<T>(url: string, response: Response): Promise<T> {
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new Refusal(url, response.status, body?.error);
  return body as T;
}
