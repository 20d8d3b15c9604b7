import { describe, expect, it } from "vitest";
import { resolveModel } from "./resolve-model.ts";

describe("resolveModel", () => {
  it.for<[string, Record<string, string>, string]>([
    ["openai/gpt-4.1", { OPENAI_API_KEY: "k" }, "openai.responses"],
    ["openai/gpt-4.1", { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "https://api.openai.com/v1" }, "openai.responses"],
    ["openai/llama3.2", { OPENAI_BASE_URL: "http://localhost:11434/v1" }, "openai.chat"],
    ["anthropic/claude-sonnet-4-5", { ANTHROPIC_API_KEY: "k" }, "anthropic.messages"],
  ])("resolves %s with %o", async ([name, environment, provider]) => {
    const model = await resolveModel(name, environment);
    expect(model).toMatchObject({ provider, modelId: name.slice(name.indexOf("/") + 1) });
  });

  it("keeps slashes in the model name", async () => {
    const model = await resolveModel("openai/meta-llama/Llama-3-8B", { OPENAI_BASE_URL: "http://localhost:1/v1" });
    expect(model.modelId).toBe("meta-llama/Llama-3-8B");
  });

  it.for<[string, Record<string, string>, RegExp]>([
    ["openai/gpt-4.1", {}, /no API key\. Set `OPENAI_API_KEY`, or `OPENAI_BASE_URL`/],
    ["openai/gpt-4.1", { OPENAI_API_KEY: " " }, /Set `OPENAI_API_KEY`/],
    ["anthropic/claude-sonnet-4-5", { OPENAI_API_KEY: "k" }, /Set `ANTHROPIC_API_KEY`/],
    ["openai/m", { OPENAI_BASE_URL: "localhost" }, /Invalid `OPENAI_BASE_URL`: `localhost`.*http:/],
    ["openai/m", { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "" }, /Invalid `OPENAI_BASE_URL`: `` is not a URL\. Unset it/],
    ["openai/m", { OPENAI_BASE_URL: "localhost:11434/v1" }, /is not a URL/],
    ["anthropic/m", { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: "there" }, /Invalid `ANTHROPIC_BASE_URL`: `there`/],
    ["acme/large", {}, /unknown provider `acme`.*openai\/.*anthropic\//],
    ["gpt-4.1", {}, /Use `provider\/model`/],
    ["openai/", {}, /Use `provider\/model`/],
  ])("explains what is missing for %s with %o", async ([name, environment, message]) => {
    await expect(resolveModel(name, environment)).rejects.toMatchObject({
      code: "model_unavailable",
      message: expect.stringMatching(message),
    });
  });
});
