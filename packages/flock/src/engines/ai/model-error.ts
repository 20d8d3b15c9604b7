import { APICallError, RetryError } from "ai";
import type { ModelObject } from "../../agents/model.ts";
import { FlockError } from "../../core/errors.ts";
import { KEYS } from "./keys.ts";

/** A model as messages name it: `openai/gpt-4.1`. */
export function labelOf({ provider, modelId }: ModelObject): string {
  return `${providerOf(provider)}/${modelId}`;
}

/** Says what went wrong with a model, and what to do. `text` is what it had answered until then. */
export function explain(error: unknown, model: ModelObject, text: string): FlockError {
  if (error instanceof FlockError) return error;
  const tries = RetryError.isInstance(error) ? error.errors.length : 1;
  const cause = RetryError.isInstance(error) ? error.lastError : error;
  const what = APICallError.isInstance(cause) && text === "" ? refusalOf(cause, model) : undefined;
  const after = text === "" ? "" : ` after ${text.length} characters of its answer`;
  const times = tries > 1 ? ` (tried ${tries} times)` : "";
  return new FlockError("model_failed", `${labelOf(model)} ${what ?? `failed${after}: ${messageOf(cause)}`}${times}`, {
    cause,
  });
}

function refusalOf(error: APICallError, { provider }: ModelObject): string {
  const { statusCode, url, responseHeaders = {} } = error;
  const said = `${statusCode}: ${messageOf(error)}`;
  switch (statusCode) {
    case undefined:
      return `cannot be reached at ${url}: is the server running, and the address right? (${messageOf(error)})`;
    case 401:
    case 403: {
      const key = KEYS[providerOf(provider)];
      return `did not accept the key (${said})${key ? `: check ${key}` : ""}`;
    }
    case 404:
      return `is not known at ${url} (${said}): check its name and the address`;
    case 429: {
      const wait = responseHeaders["retry-after"];
      return `takes no more requests for now (${said})${wait ? `, and asks to come back after ${wait} s` : ""}`;
    }
    default:
      return `failed with ${said}`;
  }
}

/** The AI SDK names a provider's interface as well: `openai.responses`. */
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
