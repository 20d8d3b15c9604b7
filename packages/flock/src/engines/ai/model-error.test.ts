import { APICallError, RetryError } from "ai";
import { describe, expect, it } from "vitest";
import { explain } from "./model-error.ts";

const MODEL = { specificationVersion: "v4", provider: "anthropic.messages", modelId: "claude" };
const call = (message: string, statusCode?: number, headers: Record<string, string> = {}) =>
  new APICallError({
    message,
    url: "http://127.0.0.1:9/v1/messages",
    requestBodyValues: {},
    responseHeaders: headers,
    ...(statusCode === undefined ? {} : { statusCode }),
  });

describe("explain", () => {
  it.for<[string, unknown, string, RegExp]>([
    [
      "a closed port",
      call("Cannot connect to API"),
      "",
      /cannot be reached at `http:\/\/127.0.0.1:9\/v1\/messages`.*Check that the server is running/,
    ],
    [
      "a wrong key",
      call("invalid x-api-key", 401),
      "",
      /invalid API key \(401: invalid x-api-key\)\. Check `ANTHROPIC_API_KEY`/,
    ],
    ["a server that fails", call("Internal", 500), "", /failed with 500: Internal/],
    [
      "an object that is not an error",
      { message: "overloaded" },
      "abc",
      /failed after 3 characters of its answer: overloaded/,
    ],
    ["nothing at all", undefined, "", /failed: no reason given/],
    ["a text", "odd", "", /failed: odd/],
  ])("%s", ([, error, text, message]) => {
    const explained = explain(error, MODEL, text);
    expect(explained.code).toBe("model_failed");
    expect(explained.message).toMatch(message);
    expect(explained.message).toMatch(/^Model `anthropic\/claude` /);
  });

  it("reports the number of attempts and the last reason", () => {
    const errors = [call("busy", 503), call("slow down", 429, { "retry-after": "90" })];
    const error = new RetryError({ message: "gave up", reason: "maxRetriesExceeded", errors });
    expect(explain(error, MODEL, "").message).toBe(
      "Model `anthropic/claude` rejected the request: rate limit reached (429: slow down). Retry after 90 s. (tried 2 times)",
    );
  });
});
