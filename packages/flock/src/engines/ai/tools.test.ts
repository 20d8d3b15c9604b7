import { tool } from "ai";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { type AgentBuilder, artifact, Flock, OWNER, ToolApproval, type ToolSource } from "../../index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import { type ScriptedAnswer, scriptedModel } from "../../testing/scripted-model.ts";
import { ask } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const idea = Idea({ text: "truffle" });
const pizza = Pizza({ name: "Tartufo" });

const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());

const calls = (...inputs: unknown[]): ScriptedAnswer => ({
  tools: inputs.map((input) => ({ name: "order", input })),
});

/** A tool that needs approval, and the arguments of its calls. */
function order(needsApproval: boolean | ((input: { item: string }) => boolean) = true) {
  const ordered: unknown[] = [];
  return {
    ordered,
    order: tool({
      description: "Orders an item",
      inputSchema: z.object({ item: z.string().min(1), amount: z.int().default(1) }),
      needsApproval,
      execute: (input) => {
        ordered.push(input);
        return { delivered: input.item };
      },
    }),
  };
}

/** A chef with a model that gives these answers. */
function kitchen(script: readonly ScriptedAnswer[], declare: (chef: AgentBuilder) => unknown) {
  const model = scriptedModel(script);
  const flock = new Flock({ model });
  declare(flock.agent("chef").consumes(Idea).publishes(Pizza) as never);
  const cook = async () => {
    const { done } = await flock.invoke("chef", [idea]);
    return done;
  };
  return { model, flock, cook, [Symbol.asyncDispose]: () => flock.shutdown() };
}

/** What the model received as the results of its last calls. */
const resultsOf = (model: ReturnType<typeof scriptedModel>) =>
  (model.calls.at(-1)?.options.prompt ?? []).flatMap((message) =>
    message.role === "tool"
      ? message.content.flatMap((part) => (part.type === "tool-result" ? [part.output as { value: unknown }] : []))
      : [],
  );

/** Answers the only open question. */
async function answer(flock: Flock, payload: Parameters<typeof ToolApproval>[0]) {
  await flock.runUntilIdle();
  const [question, ...others] = flock.questions();
  expect(others).toEqual([]);
  await flock.answer(question?.id ?? "", ToolApproval(payload));
  return question?.payload;
}

describe("a tool that needs approval", () => {
  it("is called when a person approves, who sees its name and arguments", async () => {
    const { order: tool, ordered } = order();
    await using at = kitchen([calls({ item: "truffle" }), pizza], (chef) => chef.tools({ order: tool }));
    const { done } = await at.flock.invoke("chef", [idea]);
    const question = await answer(at.flock, { approved: true });
    expect(question).toMatchObject({
      question: "Call the tool `order`?",
      details: { tool: "order", description: "Orders an item", arguments: { item: "truffle", amount: 1 } },
      answer_type: "ToolApproval",
      answer_schema: {
        required: ["approved"],
        properties: {
          approved: { type: "boolean" },
          arguments: { properties: { item: { type: "string" } }, default: { item: "truffle", amount: 1 } },
        },
      },
    });
    expect(await done).toMatchObject({ status: "success" });
    expect(ordered).toEqual([{ item: "truffle", amount: 1 }]);
    expect(resultsOf(at.model)).toMatchObject([{ value: { delivered: "truffle" } }]);
  });

  it("is not called when a person refuses, and the model receives the reason", async () => {
    const { order: tool, ordered } = order();
    await using at = kitchen([calls({ item: "caviar" }), pizza], (chef) => chef.tools({ order: tool }));
    const { done } = await at.flock.invoke("chef", [idea]);
    await answer(at.flock, { approved: false, reason: "Too expensive." });
    expect(await done).toMatchObject({ status: "success" });
    expect(ordered).toEqual([]);
    expect(resultsOf(at.model)).toMatchObject([
      { type: "error-text", value: "A person refused the call of `order`. Reason: Too expensive." },
    ]);
  });

  it("is called with the arguments that a person changed, once they fit, with a note for the model", async () => {
    const { order: tool, ordered } = order();
    await using at = kitchen([calls({ item: "caviar" }), pizza], (chef) => chef.tools({ order: tool }));
    const { done } = await at.flock.invoke("chef", [idea]);
    await answer(at.flock, { approved: true, arguments: { item: "" } });
    const again = await answer(at.flock, { approved: true, arguments: { item: "capers" } });
    expect(again?.question).toMatch(/The changed arguments are invalid: .*item.* Call the tool `order`\?/s);
    expect(await done).toMatchObject({ status: "success" });
    expect(ordered).toEqual([{ item: "capers", amount: 1 }]);
    expect(resultsOf(at.model)).toMatchObject([
      { value: expect.stringMatching(/^\[A person changed the arguments to .*capers.*\]\n\{"delivered":"capers"\}$/) },
    ]);
  });

  it("shows arguments as JSON, also those that its schema turns into dates", async () => {
    const dates: Date[] = [];
    const book = tool({
      inputSchema: z.object({ day: z.iso.date().transform((day) => new Date(day)) }),
      needsApproval: true,
      execute: ({ day }) => {
        dates.push(day);
        return "booked";
      },
    });
    await using at = kitchen([calls({ day: "2026-12-24" }), pizza], (chef) => chef.tools({ order: book }));
    const { done } = await at.flock.invoke("chef", [idea]);
    const question = await answer(at.flock, { approved: true });
    expect(question?.details).toMatchObject({ arguments: { day: "2026-12-24T00:00:00.000Z" } });
    expect(await done).toMatchObject({ status: "success" });
    expect(dates).toEqual([new Date("2026-12-24")]);
  });

  it("asks only for calls for which its function returns true", async () => {
    const { order: tool, ordered } = order(({ item }) => item === "caviar");
    await using at = kitchen([calls({ item: "capers" }), pizza], (chef) => chef.tools({ order: tool }));
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(ordered).toHaveLength(1);
  });

  it("asks for each call, also for equal ones", async () => {
    const { order: tool, ordered } = order();
    const twice = calls({ item: "truffle" }, { item: "truffle" });
    await using at = kitchen([twice, pizza], (chef) => chef.tools({ order: tool }));
    const { done } = await at.flock.invoke("chef", [idea]);
    await at.flock.runUntilIdle();
    const [first, second] = at.flock.questions();
    await at.flock.answer(first?.id ?? "", ToolApproval({ approved: true }));
    await at.flock.answer(second?.id ?? "", ToolApproval({ approved: false }));
    expect(await done).toMatchObject({ status: "success" });
    expect(ordered).toHaveLength(1);
  });

  it("works in `ask` inside a function", async () => {
    const { order: tool, ordered } = order();
    const model = scriptedModel([calls({ item: "truffle" }), pizza]);
    await using flock = new Flock({ model });
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .run((_, context) => ask(context, Pizza, { tools: { order: tool } }));
    const { done } = await flock.invoke("chef", [idea]);
    await answer(flock, { approved: true });
    expect(await done).toMatchObject({ status: "success" });
    expect(ordered).toHaveLength(1);
  });

  it("may come from a server", async () => {
    const called: unknown[] = [];
    const source: ToolSource = {
      offer: async () => [
        {
          name: "order",
          description: "Orders an item",
          inputSchema: { type: "object", properties: { item: { type: "string" } } },
          needsApproval: true,
          call: async (input) => {
            called.push(input);
            return { text: "ordered", files: [] };
          },
        },
      ],
    };
    await using at = kitchen([calls({ item: "truffle" }), pizza], (chef) => chef.tools(source));
    const { done } = await at.flock.invoke("chef", [idea]);
    await answer(at.flock, { approved: true });
    expect(await done).toMatchObject({ status: "success" });
    expect(called).toEqual([{ item: "truffle" }]);
  });

  it("asks once across restarts: an approval that came before the run asked again counts", async () => {
    const file = `${folder.path}/approvals.db`;
    const { order: tool, ordered } = order();
    const open = async () => {
      const model = scriptedModel(({ number }) =>
        number === 1 ? { tools: [{ name: "order", input: { item: "truffle" } }] } : pizza,
      );
      const flock = await Flock.open({ store: sqliteStore(file), model });
      flock.agent("chef").consumes(Idea).publishes(Pizza).tools({ order: tool });
      return flock;
    };
    const first = await open();
    await first.publish(idea);
    await first.runUntilIdle();
    const [asked] = first.questions();
    await first.shutdown();

    const second = await open();
    // As over HTTP: the answer is parsed by the type, which is known before the run asks again.
    await second.serve({ port: 0 });
    const { seq } = await second.wire.answer(asked?.id ?? "", { payload: { approved: true } }, OWNER);
    expect(seq).toBeGreaterThan(0);
    await second.runUntilIdle();
    expect(second.questions()).toEqual([]);
    expect(ordered).toEqual([{ item: "truffle", amount: 1 }]);
    expect(await second.store.getByType(Pizza)).toHaveLength(1);
    await second.shutdown();

    const third = await open();
    await third.runUntilIdle();
    expect(third.questions()).toEqual([]);
    await third.shutdown();
  });

  it("is not approved for other arguments that the model uses in another attempt", async () => {
    const { order: tool, ordered } = order();
    let attempt = 0;
    const model = scriptedModel(({ input }) => {
      if (input.includes("delivered")) throw new Error("overloaded");
      attempt += 1;
      return { tools: [{ name: "order", input: { item: `item ${attempt}` } }] };
    });
    await using flock = new Flock({ model });
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .tools({ order: tool })
      .retry({ attempts: 2, delay: 0, when: () => true });
    await flock.publish(idea);
    await answer(flock, { approved: true });
    await flock.runUntilIdle();
    expect(flock.questions().map(({ payload }) => payload.details)).toMatchObject([{ arguments: { item: "item 2" } }]);
    expect(ordered).toEqual([{ item: "item 1", amount: 1 }]);
  });
});

describe("a tool is refused where it is declared", () => {
  it.for<[string, unknown, RegExp]>([
    ["without execute", { larder: tool({ inputSchema: z.object({}) }) }, /`larder` has no `execute` function.*Add/],
    ["that is not a tool", { larder: "flour" }, /`larder` is not a tool/],
    ["in a list", [], /not an object/],
    [
      "that its provider executes, with approval",
      { web: { type: "provider", isProviderExecuted: true, id: "x.y", args: {}, needsApproval: true } },
      /`web` needs approval, but its provider calls it/,
    ],
  ])("%s", async ([, tools, message]) => {
    const refused = { code: "invalid_options", message: expect.stringMatching(message) };
    const flock = new Flock({ model: scriptedModel([]) });
    const chef = flock.agent("chef").consumes(Idea).publishes(Pizza);
    expect(() => chef.tools(tools as never)).toThrow(expect.objectContaining(refused));
    flock
      .agent("asker")
      .consumes(Idea)
      .publishes(Pizza)
      .run((_, context) => ask(context, Pizza, { tools: tools as never }));
    const { error } = await (await flock.invoke("asker", [idea])).done;
    expect(error?.message).toMatch(message);
    await flock.shutdown();
  });
});

describe("the result of a tool", () => {
  const returning = (value: unknown, more: object = {}) => ({
    order: tool({ inputSchema: z.object({}), execute: () => value as string, ...more }),
  });

  it.for<[string, unknown, object?]>([
    ["a text", "x".repeat(5_000_000)],
    ["JSON", { list: Array.from({ length: 500_000 }, (_, i) => i) }],
    ["an own output", "", { toModelOutput: () => ({ type: "text", value: "x".repeat(5_000_000) }) }],
    [
      "parts",
      "",
      { toModelOutput: () => ({ type: "content", value: [{ type: "text", text: "x".repeat(5_000_000) }] }) },
    ],
  ])("is truncated with a note: %s", async ([, value, more]) => {
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(returning(value, more)));
    expect(await at.cook()).toMatchObject({ status: "success" });
    const [result] = resultsOf(at.model);
    const text = JSON.stringify(result?.value);
    expect(text.length).toBeLessThan(60_000);
    expect(text).toMatch(/\[truncated: 50000 of \d+ characters; request less\]/);
  });

  it("has the limit that the agent sets, and no half characters", async () => {
    await using at = kitchen([calls({}), pizza], (chef) =>
      chef.tools(returning("🍕".repeat(100)), { maxResultCharacters: 11 }),
    );
    await at.cook();
    expect(resultsOf(at.model)).toMatchObject([
      { value: `${"🍕".repeat(5)}\n[truncated: 10 of 200 characters; request less]` },
    ]);
  });

  it("has the limit for tools of a server, too", async () => {
    const source: ToolSource = {
      offer: async () => [
        {
          name: "order",
          description: "",
          inputSchema: { type: "object" },
          call: async () => ({ text: "x".repeat(60_000), files: [] }),
        },
      ],
    };
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(source));
    await at.cook();
    expect(resultsOf(at.model)).toMatchObject([
      { value: expect.stringContaining("[truncated: 50000 of 60000 characters") },
    ]);
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  it.for<[string, unknown, RegExp]>([
    ["a bigint", { price: 12n }, /BigInt/],
    ["a cycle", cycle, /circular/],
    ["a function", () => {}, /it is a function/],
    ["a map, which would look empty", { prices: new Map([["truffle", 12]]) }, /it contains a Map/],
  ])("that is not JSON names the tool, and the run goes on: %s", async ([, value, why]) => {
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(returning(value)));
    expect(await at.cook()).toMatchObject({ status: "success" });
    const [result] = resultsOf(at.model) as { type?: string; value: string }[];
    expect(result).toMatchObject({ type: "error-text" });
    expect(result?.value).toMatch(/Tool `order` failed: its result is not JSON/);
    expect(result?.value).toMatch(why);
  });

  it("shows the message of an error that it returns", async () => {
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(returning({ failure: new Error("sold out") })));
    await at.cook();
    expect(resultsOf(at.model)).toMatchObject([{ value: { failure: { name: "Error", message: "sold out" } } }]);
  });

  it("names the tool when its `toModelOutput` returns no output", async () => {
    const wrong = {
      order: tool({ inputSchema: z.object({}), execute: async () => 1, toModelOutput: () => undefined as never }),
    };
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(wrong));
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(resultsOf(at.model)).toMatchObject([
      { value: expect.stringMatching(/Tool `order` failed: its `toModelOutput`/) },
    ]);
  });

  it("that is an error is limited and told to the model", async () => {
    const failing = {
      order: tool({
        inputSchema: z.object({}),
        execute: async (): Promise<string> => Promise.reject(new Error("x".repeat(1e6))),
      }),
    };
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(failing));
    expect(await at.cook()).toMatchObject({ status: "success" });
    const [result] = resultsOf(at.model) as { type?: string; value: string }[];
    expect(result?.value.length).toBeLessThan(60_000);
  });

  it("may come in preliminary parts: the last one counts", async () => {
    const streaming = {
      order: tool({
        inputSchema: z.object({}),
        async *execute() {
          yield "half";
          yield "whole";
        },
      }),
    };
    await using at = kitchen([calls({}), pizza], (chef) => chef.tools(streaming));
    await at.cook();
    expect(resultsOf(at.model)).toMatchObject([{ type: "text", value: "whole" }]);
  });
});
