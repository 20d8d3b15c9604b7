import { describe, expect, it } from "vitest";
import { errorText } from "./error-text.ts";

describe("an error as a text", () => {
  it("has its name, message, stack and causes", () => {
    const error = {
      name: "model_failed",
      message: "it broke off",
      stack: "FlockError: it bro…\n    at ask (ask.ts:1:2)\n    at run (run.ts:3:4)",
      cause: { name: "Error", message: "socket hang up" },
    };
    expect(errorText(error)).toBe(
      "model_failed: it broke off\n    at ask (ask.ts:1:2)\n    at run (run.ts:3:4)\ncaused by Error: socket hang up",
    );
  });
});
