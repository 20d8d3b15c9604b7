import type { FlockEvent } from "@flock-ts/protocol";
import { APICallError, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { budget } from "../../middleware/index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { type ScriptedAnswer, type ScriptedModel, scriptedModel } from "../../testing/scripted-model.ts";
import { ask } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const idea = Idea({ text: "truffle" });
const pizza = Pizza({ name: "Tartufo" });

const refusal = (statusCode?: number) =>
  new APICallError({
    message: `status ${statusCode}`,
    url: "http://127.0.0.1:9/",
    requestBodyValues: {},
    ...(statusCode === undefined ? {} : { statusCode }),
  });

/** A model under its own name. */
const named = (modelId: string, script: readonly ScriptedAnswer[]): ScriptedModel => {
  const model = scriptedModel(script);
  return Object.create(model, { modelId: { value: modelId } });
};

async function eventsOf<T extends FlockEvent["type"]>(flock: Flock, type: T) {
  const { frames } = await flock.log.read(0, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)]
    .map((text): FlockEvent => JSON.parse(text))
    .filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);
}

/** Lets what a clock has set off happen, and be written. */
const turns = async () => {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

async function cook(flock: Flock) {
  if (!flock.agents().some(({ name }) => name === "chef")) flock.agent("chef").consumes(Idea).publishes(Pizza);
  const { done } = await flock.invoke("chef", [idea]);
  return done;
}

describe("a list of models", () => {
  it.for<[string, Error]>([
    ["429", refusal(429)],
    ["500", refusal(500)],
    ["529", refusal(529)],
    ["a timeout of the server (408)", refusal(408)],
    ["no connection", refusal()],
    ["a wrong key (401)", refusal(401)],
    ["no credit (402)", refusal(402)],
    ["a forbidden model (403)", refusal(403)],
    ["an unknown model (404)", refusal(404)],
    ["a broken stream", new TypeError("terminated")],
  ])("asks the next one at once on %s, and each attempt is a step", async ([, error]) => {
    const [first, second] = [named("first", [error]), named("second", [pizza])];
    await using flock = new Flock({ model: [first, second] });
    expect(await cook(flock)).toMatchObject({ status: "success" });
    expect(await flock.store.getByType(Pizza)).toEqual([{ name: "Tartufo" }]);
    expect((await eventsOf(flock, "run_step_completed")).map(({ name, status }) => [name, status])).toEqual([
      ["first", "error"],
      ["second", "success"],
    ]);
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it.for([400, 413, 422])("does not ask another one about a request that is invalid (%i)", async (status) => {
    const second = named("second", [pizza]);
    await using flock = new Flock({ model: [named("first", [refusal(status)]), second] });
    expect(await cook(flock)).toMatchObject({ status: "error", error: { name: "model_failed" } });
    expect(second.calls).toEqual([]);
  });

  it("continues after a break within the answer, and marks that in the stream", async () => {
    const broken = { text: ['{"name": "Mari'], error: refusal(503) };
    await using flock = new Flock({ model: [named("first", [broken]), named("second", [pizza])] });
    expect(await cook(flock)).toMatchObject({ status: "success" });
    const pieces = (await eventsOf(flock, "streaming_output")).map(({ output_type }) => output_type);
    expect(pieces).toEqual(expect.arrayContaining(["json", "retry"]));
    expect(await flock.store.getByType(Pizza)).toEqual([{ name: "Tartufo" }]);
  });

  /** A tool, and what it has ordered. */
  const orderTool = () => {
    const ordered: string[] = [];
    const order = tool({
      inputSchema: z.object({}),
      execute: () => {
        ordered.push("truffle");
        return "ordered";
      },
    });
    return { order, ordered };
  };

  it("continues after tool calls, with their results", async () => {
    const { order, ordered } = orderTool();
    const first = named("first", [{ tools: [{ name: "order", input: {} }] }, refusal(503)]);
    const second = named("second", [pizza]);
    await using flock = new Flock({ model: [first, second] });
    flock.agent("chef").consumes(Idea).publishes(Pizza).tools({ order });
    const { done } = await flock.invoke("chef", [idea]);
    expect(await done).toMatchObject({ status: "success" });
    expect([ordered.length, second.calls.length]).toEqual([1, 1]);
    expect(JSON.stringify(second.calls[0]?.options.prompt)).toContain('"ordered"');
  });

  it("calls no tool twice when a stream breaks in the step of a call", async () => {
    const { order, ordered } = orderTool();
    const call = { type: "tool-call", toolCallId: "1", toolName: "order", input: "{}" } as const;
    const breaking = Object.create(named("first", []), {
      doStream: {
        value: async () => ({
          stream: new ReadableStream({
            start: (controller) => controller.enqueue(call),
            async pull(controller) {
              await turns();
              controller.error(refusal(503));
            },
          }),
        }),
      },
    });
    const second = named("second", [{ tools: [{ name: "order", input: {} }] }, pizza]);
    await using flock = new Flock({ model: [breaking, second] });
    flock.agent("chef").consumes(Idea).publishes(Pizza).tools({ order });
    await (await flock.invoke("chef", [idea])).done;
    expect(ordered).toHaveLength(1);
  });

  it("stays with the model that answered for the second answer of the run", async () => {
    const first = named("first", [refusal(503)]);
    const second = named("second", ['{"name": 7}', pizza]);
    await using flock = new Flock({ model: [first, second] });
    expect(await cook(flock)).toMatchObject({ status: "success" });
    expect([first.calls.length, second.calls.length]).toEqual([1, 2]);
  });

  it("reports all failures, and can be retried if one of them may go away", async () => {
    const clock = fakeClock();
    const models = [named("first", [refusal(500), pizza]), named("second", [refusal(401)])];
    await using flock = new Flock({ model: models, clock });
    flock.agent("chef").consumes(Idea).publishes(Pizza).retry({ attempts: 2, delay: 10 });
    await flock.publish(idea);
    await turns();
    const [ended] = await eventsOf(flock, "agent_execution_completed");
    expect(ended?.error?.message).toMatch(/`scripted\/first` failed with 500.*`scripted\/second` rejected the request/);
    await clock.advance(1_000);
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toHaveLength(1);
  });

  it("can be given to an agent, and to ask", async () => {
    const models = () => [named("first", [refusal(503)]), named("second", [pizza])];
    await using flock = new Flock();
    flock.agent("chef").consumes(Idea).publishes(Pizza).model(models());
    flock
      .agent("asker")
      .consumes(Idea)
      .publishes(Pizza)
      .run((_, context) => ask(context, Pizza, { model: models() }));
    await flock.publish(idea);
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toHaveLength(2);
  });

  it("must not be empty, and each name must be available", async () => {
    expect(() => new Flock({ model: [] })).toThrow(/model: must be an AI SDK model or `"provider\/model"`, or a list/);
    const flock = new Flock({ model: [named("first", [pizza]), "acme/large"] });
    await expect(cook(flock)).rejects.toMatchObject({ code: "model_unavailable" });
  });

  it("needs a price for each of its models under a budget in cost, and counts the highest", async () => {
    const usage = { input: 1_000_000, output: 0 };
    const models = [named("first", [{ text: '{"name": "T"}', usage }]), named("second", [])];
    const of = (prices: Record<string, { input: number; output: number }>) =>
      new Flock({ model: models, components: [budget({ cost: 2, per: "run", prices })] });
    await using unpriced = of({ first: { input: 1, output: 1 } });
    expect((await cook(unpriced)).error?.message).toMatch(/`scripted\/second` has no price/);
    models[0] = named("first", [{ text: '{"name": "T"}', usage }]);
    await using priced = of({ first: { input: 1, output: 1 }, second: { input: 3, output: 3 } });
    expect((await cook(priced)).error?.message).toMatch(/3 of 2 in cost/);
  });
});

describe("a model that sends nothing", () => {
  it("is stopped after the idle limit, and the run can be retried", async () => {
    const clock = fakeClock();
    const model = scriptedModel([{ text: ["{", '"name"'], delayMs: 60_000 }, { text: "{", delayMs: 200_000 }, pizza], {
      clock,
    });
    await using flock = new Flock({ clock });
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .model(model, { idleTimeout: 50_000 })
      .retry({ attempts: 3, delay: 0 });
    await flock.publish(idea);
    for (let attempt = 1; attempt <= 2; attempt++) {
      await turns();
      await clock.advance(49_999);
      await turns();
      expect(await eventsOf(flock, "agent_execution_completed")).toHaveLength(attempt - 1);
      await clock.advance(1);
      await turns();
      const ended = (await eventsOf(flock, "agent_execution_completed"))[attempt - 1];
      expect(ended).toMatchObject({ status: "error", error: { name: "model_failed" }, retry_at: expect.any(String) });
      expect(ended?.error?.message).toMatch(/it sent nothing for 50000 ms\. Raise `idleTimeout`/);
    }
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toHaveLength(1);
  });

  it("is given up for the next one of a list", async () => {
    const clock = fakeClock();
    const silent = scriptedModel([{ text: "{", delayMs: 1e9 }], { clock });
    await using flock = new Flock({ model: [silent, named("second", [pizza])], clock });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    await flock.publish(idea);
    await turns();
    await clock.advance(90_000);
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toHaveLength(1);
    expect(silent.calls[0]?.options.abortSignal?.aborted).toBe(true);
  });

  it("may be slow as long as pieces come, and as long as tools take", async () => {
    const clock = fakeClock();
    const called = Promise.withResolvers<void>();
    const results = Promise.withResolvers<string>();
    const order = tool({
      inputSchema: z.object({}),
      execute: () => {
        called.resolve();
        return results.promise;
      },
    });
    const answers: ScriptedAnswer[] = [
      { tools: [{ name: "order", input: {} }] },
      { text: [...'{"name":"T"}'], delayMs: 50_000 },
    ];
    const model = scriptedModel(answers, { clock });
    await using flock = new Flock({ model, clock });
    flock.agent("chef").consumes(Idea).publishes(Pizza).tools({ order }).timeout(86_400_000);
    await flock.publish(idea);
    await called.promise;
    await turns();
    await clock.advance(3_600_000);
    results.resolve("ordered");
    for (let i = 0; i < 12; i++) {
      await turns();
      await clock.advance(50_000);
    }
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toEqual([{ name: "T" }]);
  });

  it("has a limit that is an integer of milliseconds", () => {
    const flock = new Flock();
    const chef = flock.agent("chef").consumes(Idea).publishes(Pizza);
    expect(() => chef.model("openai/x", { idleTimeout: 0 })).toThrow(/idleTimeout/);
  });
});
