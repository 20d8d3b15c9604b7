import type { ErrorBody, Issue } from "@flock-ts/protocol";

/** Where the server's components are: `/dashboard-config.json`. */
export interface DashboardConfig {
  readonly websocket: string;
  readonly control: string;
  /** Absent where a server of before tells it: then they are beside the control routes. */
  readonly deadLetters?: string;
  readonly agents: string;
  readonly artifacts: string;
}

/** Reads the configuration, again and again until there is a server. `onAttempt` hears of each attempt, from 1. */
export async function readConfig(onAttempt: (attempt: number) => void): Promise<DashboardConfig> {
  for (let attempt = 1; ; attempt++) {
    onAttempt(attempt);
    try {
      const response = await fetch("/dashboard-config.json");
      if (response.ok) return await response.json();
    } catch {
      // No server, or none yet: the status says so, and we go on asking.
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 250 * 2 ** attempt)));
  }
}

/** The address of the list of who is connected. */
export function connectionsUrl({ websocket }: DashboardConfig): string {
  return websocket.replace(/ws$/, "connections");
}

/** The address of a page of the log: the events after a seq. */
export function eventsUrl({ websocket }: DashboardConfig, { after, limit }: { after: number; limit: number }): string {
  return `${websocket.replace(/ws$/, "events")}?after=${after}&limit=${limit}`;
}

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
