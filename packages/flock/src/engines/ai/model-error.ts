import { APICallError, RetryError } from "ai";
import type { ModelObject } from "../../agents/model.ts";
import { FlockError } from "../../core/errors.ts";
import { KEYS } from "./keys.ts";

/** Returns the name of a model for messages, such as `openai/gpt-4.1`. */
export function labelOf({ provider, modelId }: ModelObject): string {
  return `${providerOf(provider)}/${modelId}`;
}

/**
 * Converts a model's failure to an error that says what to do.
 * @param text the partial answer.
 */
export function explain(error: unknown, model: ModelObject, text: string): FlockError {
  if (error instanceof FlockError) return error;
  const tries = RetryError.isInstance(error) ? error.errors.length : 1;
  const cause = RetryError.isInstance(error) ? error.lastError : error;
  const what = APICallError.isInstance(cause) && text === "" ? refusalOf(cause, model) : undefined;
  const after = text === "" ? "" : ` after ${text.length} characters of its answer`;
  const times = tries > 1 ? ` (tried ${tries} times)` : "";
  return new FlockError(
    "model_failed",
    `Model \`${labelOf(model)}\` ${what ?? `failed${after}: ${messageOf(cause)}`}${times}`,
    {
      cause,
    },
  );
}

function refusalOf(error: APICallError, { provider }: ModelObject): string {
  const { statusCode, url, responseHeaders = {} } = error;
  const detail = `${statusCode}: ${messageOf(error)}`;
  switch (statusCode) {
    case undefined:
      return `cannot be reached at \`${url}\`: ${messageOf(error)}. Check that the server is running and the URL is correct.`;
    case 401:
    case 403: {
      const key = KEYS[providerOf(provider)];
      return `rejected the request: invalid API key (${detail}).${key ? ` Check \`${key}\`.` : ""}`;
    }
    case 404:
      return `was not found at \`${url}\` (${detail}). Check its name and the URL.`;
    case 429: {
      const wait = responseHeaders["retry-after"];
      return `rejected the request: rate limit reached (${detail}).${wait ? ` Retry after ${wait} s.` : ""}`;
    }
    default:
      return `failed with ${detail}`;
  }
}

/** Removes the API variant that the AI SDK includes: `openai.responses`. */
export function providerOf(provider: string): string {
  return provider.split(".")[0] as string;
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error === "string") return error;
  if (error === undefined || error === null) return "no reason given";
  const { message } = error as { message?: unknown };
  return typeof message === "string" ? message : JSON.stringify(error);
}
