import { join } from "node:path";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { tool } from "ai";
import { artifact, Flock, type Model, type RunEnd } from "flock-ts";
import { resolveModel } from "flock-ts/engines/ai";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT } from "../docs/documents.ts";
import { eventsOf } from "../support/events.ts";
import { temporaryFolder } from "../support/folder.ts";
import {
  type Answer,
  breaksAfter,
  type ChatRequest,
  callsTool,
  failsAfter,
  failsWith,
  hangs,
  ModelServer,
  messagesJson,
  refuses,
  respondsJson,
  says,
  saysJson,
} from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { RunningProgram } from "../support/process.ts";

const PIZZA = { name: "Tartufo", toppings: ["truffle", "fontina"] };

/** Creates a kitchen whose chef has no function, on a server with these answers. */
async function kitchen(...answers: [Answer, ...Answer[]]) {
  const server = await ModelServer.start(...answers);
  const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
  const flock = new Flock({ model });
  return {
    server,
    flock,
    chef: () => flock.agent("chef").description("Invents pizzas").consumes(Idea).publishes(Pizza),
    /** Runs the chef once and returns the end of the run. */
    async cook(): Promise<RunEnd> {
      const { done } = await flock.invoke("chef", [Idea({ description: "truffle" })]);
      return done;
    },
    async [Symbol.asyncDispose]() {
      await flock.shutdown();
      await server[Symbol.asyncDispose]();
    },
  };
}

const systemOf = ({ body }: ChatRequest) => String(body.messages[0]?.content);

describe("agent without run", () => {
  it("asks the model for its output and streams the answer", async () => {
    await using at = await kitchen(saysJson(PIZZA));
    at.chef().instructions("Two toppings at most.");
    await at.flock.publish(Idea({ description: "truffle" }));
    await at.flock.runUntilIdle();

    expect(await at.flock.store.getByType(Pizza)).toEqual([PIZZA]);
    const pieces = eventsOf(at.flock, "streaming_output");
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.map(({ content }) => content).join("")).toBe(JSON.stringify(PIZZA));
    expect(pieces.at(0)).toMatchObject({ agent_id: "chef", output_type: "json", artifact_type: "Pizza", offset: 0 });
    expect(pieces.at(-1)?.is_complete).toBe(true);

    const [request] = at.server.requests;
    expect(request?.path).toBe("/v1/chat/completions");
    expect(request?.body).toMatchObject({ model: "test-model", stream: true });
    expect(request?.body.response_format).toMatchObject({
      type: "json_schema",
      json_schema: { name: "Pizza", strict: true, schema: { required: ["name", "toppings"] } },
    });
    expect(systemOf(request as ChatRequest)).toMatch(/"chef".*Invents pizzas.*Two toppings at most\./s);
    expect(JSON.parse(String(request?.body.messages[1]?.content))).toEqual([
      { type: "Idea", payload: { description: "truffle" } },
    ]);
  });

  it("reports the tokens of the run", async () => {
    await using at = await kitchen(says([JSON.stringify(PIZZA)]));
    at.chef();
    expect((await at.cook()).usage).toEqual({ input_tokens: 10, output_tokens: 1, total_tokens: 11 });
    expect(eventsOf(at.flock, "agent_execution_completed")[0]?.usage).toEqual({
      input_tokens: 10,
      output_tokens: 1,
      total_tokens: 11,
    });
  });

  it("creates one artifact of each published type from one answer", async () => {
    const Wine = artifact("Wine", z.string());
    await using at = await kitchen(saysJson({ Pizza: PIZZA, Wine: "Barolo" }));
    at.chef().publishes(Wine);
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(await at.flock.store.getByType(Pizza)).toEqual([PIZZA]);
    expect(await at.flock.store.getByType(Wine)).toEqual(["Barolo"]);
    expect(at.server.requests).toHaveLength(1);
    expect(eventsOf(at.flock, "streaming_output")[0]?.artifact_type).toBeUndefined();
  });

  it("creates `fanOut` artifacts from one answer", async () => {
    const pizzas = [PIZZA, { ...PIZZA, name: "Marinara" }, { ...PIZZA, name: "" }];
    await using at = await kitchen(saysJson({ Pizza: pizzas }));
    at.flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza, { fanOut: { min: 2, max: 4 }, where: ({ name }) => name !== "" });
    expect((await at.cook()).status).toBe("success");
    expect(await at.flock.store.getByType(Pizza)).toEqual(pizzas.slice(0, 2));
    expect(systemOf(at.server.requests[0] as ChatRequest)).toMatch(
      /"minItems":2,"maxItems":4.*|"maxItems":4,"minItems":2/,
    );
    expect(at.server.requests).toHaveLength(1);
  });

  it("can have its own model", async () => {
    await using at = await kitchen(saysJson(PIZZA));
    const flock = new Flock();
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .model(await resolveModel("openai/other/model", { OPENAI_BASE_URL: at.server.url }));
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toEqual([PIZZA]);
    expect(at.server.requests[0]?.body.model).toBe("other/model");
    expect(at.server.requests[0]?.headers.authorization).toBeUndefined();
  });

  it("calls tools, reports that in the stream, and answers with their results", async () => {
    await using at = await kitchen(callsTool("larder", { shelf: 3 }), saysJson(PIZZA));
    const asked: unknown[] = [];
    at.chef().tools({
      larder: tool({
        description: "What is on a shelf",
        inputSchema: z.object({ shelf: z.int() }),
        execute: async (input) => {
          asked.push(input);
          return ["truffle", "fontina"];
        },
      }),
    });
    const { status, usage } = await at.cook();
    expect(status).toBe("success");
    expect(asked).toEqual([{ shelf: 3 }]);
    expect(at.server.requests[0]?.body.tools?.[0]?.function.name).toBe("larder");
    expect(at.server.requests[1]?.body.messages.at(-1)).toMatchObject({
      role: "tool",
      content: '["truffle","fontina"]',
    });
    expect(usage?.input_tokens).toBe(20);
    expect(eventsOf(at.flock, "streaming_output").find(({ output_type }) => output_type === "tool_call")?.content).toBe(
      '\nlarder({"shelf":3})\n',
    );
  });
});

describe("API of the provider", () => {
  it.for<[string, (baseURL: string) => Model, Answer, RegExp]>([
    [
      "OpenAI's",
      (baseURL) => createOpenAI({ baseURL, apiKey: "k" })("gpt-4.1"),
      respondsJson(PIZZA),
      /"type":"json_schema".*"strict":true/,
    ],
    [
      "Anthropic's",
      (baseURL) => createAnthropic({ baseURL, apiKey: "k" })("claude-sonnet-4-5"),
      messagesJson(PIZZA),
      /"type":"json_schema"/,
    ],
  ])("%s", async ([, modelAt, answer, format]) => {
    await using server = await ModelServer.start(answer);
    await using flock = new Flock({ model: modelAt(server.url) });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    const { done } = await flock.invoke("chef", [Idea({ description: "truffle" })]);
    const { status, error, usage } = await done;
    expect(status, error?.message).toBe("success");
    expect(await flock.store.getByType(Pizza)).toEqual([PIZZA]);
    expect(usage?.input_tokens).toBe(10);
    expect(JSON.stringify(server.requests[0]?.body)).toMatch(format);
  });
});

describe("answer in chunks", () => {
  const STARRY = { name: "Stelle 🍕⭐️ für Zoë", toppings: ["蘑菇", "🧀"] };

  it.for([1, 2, 3, 5])("keeps characters whole when the network splits every %i bytes", async (bytesAtATime) => {
    await using at = await kitchen(says([...JSON.stringify(STARRY)], { bytesAtATime }));
    at.chef();
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(await at.flock.store.getByType(Pizza)).toEqual([STARRY]);
  });

  it("keeps characters whole when the model's chunks split one", async () => {
    const halves = JSON.stringify(STARRY).split("");
    await using at = await kitchen(says(halves));
    at.chef();
    await at.cook();
    expect(await at.flock.store.getByType(Pizza)).toEqual([STARRY]);
    const pieces = eventsOf(at.flock, "streaming_output");
    expect(pieces.map(({ content }) => content).join("")).toBe(JSON.stringify(STARRY));
    for (const { content } of pieces) expect(content.isWellFormed()).toBe(true);
    let offset = 0;
    for (const piece of pieces) {
      expect(piece.offset).toBe(offset);
      offset += piece.content.length;
    }
  });
});

describe("invalid answer", () => {
  const WRONG = { name: "Tartufo", toppings: "truffle" };

  it("is requested once more with the problem", async () => {
    await using at = await kitchen(saysJson(WRONG), saysJson(PIZZA));
    at.chef();
    const { status, usage } = await at.cook();
    expect(status).toBe("success");
    expect(await at.flock.store.getByType(Pizza)).toEqual([PIZZA]);
    const [, second] = at.server.requests;
    expect(second?.body.messages.at(-2)).toMatchObject({ role: "assistant", content: JSON.stringify(WRONG) });
    expect(second?.body.messages.at(-1)?.content).toMatch(/Invalid payload of `Pizza`: toppings: .*expected array/);
    expect(usage?.input_tokens).toBe(20);
    expect(eventsOf(at.flock, "streaming_output").some(({ output_type }) => output_type === "retry")).toBe(true);
  });

  it("by the output options is also requested once more", async () => {
    const named = (name: string) => ({ ...PIZZA, name });
    await using at = await kitchen(
      saysJson({ Pizza: [named("a")] }),
      saysJson({ Pizza: [named("a"), named("b")] }),
      saysJson({ Pizza: [named("Pineapple"), named("b")] }),
    );
    at.flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza, { fanOut: 2, validate: ({ name }) => name !== "Pineapple" || "no pineapple here" });
    expect((await at.cook()).status).toBe("success");
    expect(JSON.stringify(at.server.requests[1]?.body.messages)).toContain("1 × `Pizza`, but declares a `fanOut` of 2");
    const { status, error } = await at.cook();
    expect(status).toBe("error");
    expect(error?.message).toMatch(/2 answers were invalid\. Last problem: no pineapple here/);
    expect(await at.flock.store.getByType(Pizza)).toEqual([named("a"), named("b")]);
  });

  it("ends the run the second time, with the invalid field", async () => {
    await using at = await kitchen(saysJson(WRONG));
    at.chef();
    const { status, error } = await at.cook();
    expect(at.server.requests).toHaveLength(2);
    expect(status).toBe("error");
    expect(error?.name).toBe("model_answer_invalid");
    expect(error?.message).toMatch(/Model `openai\/test-model` failed: 2 answers .* toppings: .*expected array/);
  });

  it.for<[string, Answer, RegExp]>([
    ["text around no JSON", says(["Here is ", "your pizza!"]), /not JSON/],
    ["an empty answer", says([]), /it is empty/],
    ["JSON that ends in the middle", says(['{"name": "Tart']), /not JSON/],
    ["an answer cut off at the limit", says(['{"name": "Tart'], { finishReason: "length" }), /limit of output tokens/],
  ])("%s", async ([, answer, message]) => {
    await using at = await kitchen(answer);
    at.chef();
    const { status, error } = await at.cook();
    expect(status).toBe("error");
    expect(error?.message).toMatch(message);
    expect(await at.flock.store.getByType(Pizza)).toEqual([]);
  });

  it("is avoided by removing a Markdown fence", async () => {
    await using at = await kitchen(says(["```json\n", JSON.stringify(PIZZA), "\n```"]));
    at.chef();
    expect(await at.cook()).toMatchObject({ status: "success" });
  });
});

describe("a list of models", () => {
  it("is asked in order, past a closed port, a busy server and one that stalls", async () => {
    const closing = await ModelServer.start(saysJson(PIZZA));
    const closed = { url: closing.url };
    await closing[Symbol.asyncDispose]();
    await using busy = await ModelServer.start(failsWith(503, "busy"));
    await using stalled = await ModelServer.start(hangs('{"name"'));
    await using good = await ModelServer.start(saysJson(PIZZA));
    const model = await Promise.all(
      [closed, busy, stalled, good].map(({ url }) => resolveModel("openai/test-model", { OPENAI_BASE_URL: url })),
    );
    await using flock = new Flock();
    flock.agent("chef").consumes(Idea).publishes(Pizza).model(model, { idleTimeout: 500 });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toEqual([PIZZA]);
    const steps = eventsOf(flock, "run_step_completed").map(({ status }) => status);
    expect(steps).toEqual(["error", "error", "error", "success"]);
    expect([busy, stalled, good].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
    await stalled.gaveUp();
  });
});

describe("model failures are explained", () => {
  it.for<[string, Answer, RegExp]>([
    ["a rejected key", failsWith(401, "bad key"), /invalid API key \(401: bad key\)\. Check `OPENAI_API_KEY`/],
    ["a model that is not there", failsWith(404, "no such model"), /was not found at `http.*no such model/],
    ["a request that is not understood", failsWith(400, "bad schema"), /failed with 400: bad schema/],
    [
      "an error in the stream",
      failsAfter(['{"name"'], "overloaded"),
      /failed after 7 characters of its answer: overloaded/,
    ],
    ["a stream that breaks", breaksAfter(['{"name"']), /failed after 7 characters/],
    [
      "an incomplete stream",
      says(['{"name"'], { finishReason: undefined }),
      /failed after 7 characters.*finish reason/,
    ],
    ["what is no SSE at all", (response) => void response.end("<html>"), /failed/],
  ])("%s", async ([, answer, message]) => {
    await using at = await kitchen(answer);
    at.chef();
    const { status, error } = await at.cook();
    expect(status).toBe("error");
    expect(error?.name).toBe("model_failed");
    expect(error?.message).toMatch(message);
    expect(error?.message).toMatch(/^Model `openai\/test-model` /);
    expect(at.server.requests).toHaveLength(1);
  });

  it("a refusal, with the model's text", async () => {
    await using at = await kitchen(refuses("I cannot ", "cook that."));
    at.chef();
    expect((await at.cook()).error).toMatchObject({
      name: "model_refused",
      message: "Model `openai/test-model` refused to answer: I cannot cook that.",
    });
    expect(at.server.requests).toHaveLength(1);
  });

  it("an answer that a content filter stopped", async () => {
    await using at = await kitchen(says(['{"na'], { finishReason: "content_filter" }));
    at.chef();
    expect((await at.cook()).error?.name).toBe("model_refused");
  });

  it("a model that calls tools and never answers", async () => {
    await using at = await kitchen(callsTool("larder", {}));
    at.chef().tools({ larder: tool({ inputSchema: z.object({}), execute: () => "empty" }) });
    expect((await at.cook()).error?.message).toMatch(/called tools in 16 steps/);
  });
});

describe("busy provider", () => {
  it("is called again after its Retry-After", async () => {
    await using at = await kitchen(
      failsWith(429, "slow down", { "retry-after-ms": "1" }),
      failsWith(503, "busy", { "retry-after": "0" }),
      saysJson(PIZZA),
    );
    at.chef();
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(at.server.requests).toHaveLength(3);
  });

  it("is abandoned after three retries, with its request in the message", async () => {
    await using at = await kitchen(failsWith(429, "slow down", { "retry-after": "0" }));
    at.chef();
    const { error } = await at.cook();
    expect(error?.message).toMatch(/rate limit reached \(429: slow down\).*after 0 s.*\(tried 4 times\)/);
    expect(at.server.requests).toHaveLength(4);
  });
});

describe("hanging server", () => {
  const after: [string, Answer][] = [
    ["before it answers", hangs()],
    ["in the middle of its answer", hangs('{"name"')],
  ];

  it.for(after)("%s ends the run as timeout, and the request with it", async ([, answer]) => {
    await using at = await kitchen(answer);
    at.chef().timeout(200);
    const { status, error } = await at.cook();
    expect(status).toBe("timeout");
    expect(error?.message).toMatch(/`chef` was stopped: it took longer than 200 ms/);
    await at.server.gaveUp();
  });

  it.for(after)("%s does not keep a cancelled run", async ([, answer]) => {
    await using at = await kitchen(answer);
    at.chef();
    const { runId, done } = await at.flock.invoke("chef", [Idea({ description: "truffle" })]);
    await at.server.requested(1);
    await at.flock.cancel({ runId });
    expect((await done).status).toBe("cancelled");
    await at.server.gaveUp();
  });
});

describe("examples/pizza.ts", () => {
  const run = (variables: NodeJS.ProcessEnv, ...ideas: string[]) => {
    const { FLOCK_MODEL: _, OPENAI_API_KEY: __, OPENAI_BASE_URL: ___, ANTHROPIC_API_KEY: ____, ...env } = process.env;
    return new RunningProgram(["node", "examples/pizza.ts", ...ideas], { cwd: ROOT, env: { ...env, ...variables } });
  };

  it("generates an answer without a key and reports that it is meaningless", async () => {
    await using program = run({});
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines[0]).toBe("The pizza master uses the offline model, which generates meaningless answers.");
    expect(program.lines.at(-1)).toMatch(/^\[offline\] .*: .*; \d+ minutes$/);
    expect(program.errors).toBe("");
  });

  it("uses your own server", async () => {
    await using server = await ModelServer.start(saysJson({ ...PIZZA, minutes: 9 }));
    await using program = run({ OPENAI_BASE_URL: server.url }, "truffle", "basil");
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines[0]).toMatch(/uses openai\/test-model/);
    expect(program.lines.slice(-2)).toEqual(Array(2).fill("Tartufo: truffle, fontina; 9 minutes"));
    expect(server.requests).toHaveLength(2);
    expect(program.errors).toBe("");
  });

  it("names the missing key in one line", async () => {
    await using program = run({ FLOCK_MODEL: "anthropic/claude-haiku-4-5" });
    expect(await program.exit()).toBe(1);
    expect(program.errors).toBe(
      "pizza: Model `anthropic/claude-haiku-4-5` is unavailable: no API key. Set `ANTHROPIC_API_KEY`.\n",
    );
  });
});

describe("persistent blackboard", () => {
  it("repeats an interrupted request", async () => {
    await using folder = await temporaryFolder();
    await using server = await ModelServer.start(hangs('{"name"'), saysJson(PIZZA));
    const open = async () => {
      const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
      const flock = await Flock.open({ model, store: sqliteStore(join(folder.path, "flock.db")) });
      flock.agent("chef").consumes(Idea).publishes(Pizza);
      return flock;
    };
    const before = await open();
    await before.publish(Idea({ description: "truffle" }));
    await server.requested(1);
    await before.shutdown();
    await using after = await open();
    await after.runUntilIdle();
    expect(await after.store.getByType(Pizza)).toEqual([PIZZA]);
    expect(server.requests).toHaveLength(2);
  });
});

describe("packages that are not installed", () => {
  const { OPENAI_BASE_URL: _, ...environment } = process.env;
  const run = (model: string, without: string) =>
    new RunningProgram(
      ["node", "--import", "./tests/e2e/programs/without.mjs", "tests/e2e/programs/model-agent.ts", model],
      {
        cwd: ROOT,
        env: { ...environment, WITHOUT: without, OPENAI_API_KEY: "k" },
      },
    );

  it("are not required by function agents, and otherwise named with the install command", async () => {
    await using program = run("openai/gpt-4.1", "ai");
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines).toEqual([
      "1 by function",
      "missing_dependency: Agent `chef` cannot run on a model: the AI SDK is not installed. Run `npm install ai`.",
    ]);
  });

  it("are named by provider", async () => {
    await using program = run("openai/gpt-4.1", "@ai-sdk/openai");
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines[1]).toBe(
      "missing_dependency: Model `openai/gpt-4.1` is unavailable: a package is not installed. Run `npm install @ai-sdk/openai`.",
    );
  });

  it("of other providers are not required", async () => {
    await using program = run("openai/gpt-4.1", "@ai-sdk/anthropic,@ai-sdk/openai-compatible");
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines[1]).toBe("the model is there");
  });
});
