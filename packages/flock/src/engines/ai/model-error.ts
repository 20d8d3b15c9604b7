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

/** Statuses that concern one provider: its key, its account, its models, its load. */
const PROVIDERS_OWN = new Set([401, 402, 403, 404, 408, 409, 429]);

/**
 * Returns whether another provider may answer a request that failed. A request that the provider rejected as invalid
 * would be invalid for others, too.
 */
export function mayAnotherAnswer(error: unknown): boolean {
  if (error instanceof FlockError) return false;
  const cause = RetryError.isInstance(error) ? error.lastError : error;
  if (!APICallError.isInstance(cause)) return true;
  const { statusCode = 0 } = cause;
  return statusCode < 400 || statusCode >= 500 || PROVIDERS_OWN.has(statusCode);
}

/** Combines the failures of all models of a run into one. */
export function failureOf(failures: readonly FlockError[]): FlockError {
  const [first] = failures as [FlockError];
  if (failures.length === 1) return first;
  // One that may go away makes another attempt worthwhile.
  const { cause } = failures.findLast((one) => (one.cause as Partial<APICallError>)?.isRetryable !== false) ?? first;
  return new FlockError("model_failed", failures.map(({ message }) => message).join(" – "), { cause });
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
