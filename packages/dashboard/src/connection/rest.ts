import type { ErrorBody, FlockEvent, Issue } from "@flock-ts/protocol";
import type { NameInterner } from "../timeline/name-interner.ts";
import { type DashboardConfig, eventsUrl, readConfig } from "./config.ts";

/** One page of the server's log. */
export interface EventsPage {
  readonly events: readonly FlockEvent[];
  /** The seq after which the next page begins. */
  readonly next: number;
  /** The oldest seq that the server keeps. */
  readonly oldest: number;
  readonly epoch: string;
}

/** The REST requests that a session makes. */
export interface RestClient {
  /** Reads the configuration, and repeats that until it succeeds. `onAttempt` is called before each attempt, from 1. */
  readConfig(onAttempt: (attempt: number) => void): Promise<DashboardConfig>;
  /** Reads the events after a seq. @throws as `getJson` does. */
  readEvents(config: DashboardConfig, range: { after: number; limit: number }): Promise<EventsPage>;
}

/**
 * Creates the requests over `fetch`.
 *
 * @param names makes the names in arriving events share their strings.
 */
export function restClient(names: NameInterner): RestClient {
  return {
    readConfig,
    async readEvents(config, range) {
      const page = await getJson<EventsPage>(eventsUrl(config, range));
      for (const event of page.events) names.intern(event);
      return page;
    },
  };
}

/** An error response of the server: its message and its machine-readable code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  readonly issues: readonly Issue[];

  constructor(url: string, status: number, body: Partial<ErrorBody> = {}) {
    super(body.message ?? `${url} returned ${status}`);
    this.code = body.code ?? String(status);
    this.issues = body.issues ?? [];
  }
}

/** Reads JSON from the server. @throws Refusal for an error response, or the browser's own error without a response. */
export async function getJson<T>(url: string): Promise<T> {
  return answerOf(url, await fetch(url));
}

/** Posts a request to the server and returns its answer. @throws as `getJson` does. */
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
