import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { tool } from "ai";
import { artifact, Flock, type Published } from "flock-ts";
import { ask, resolveModel } from "flock-ts/engines/ai";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { type Answer, callsTool, failsWith, hangs, ModelServer, saysJson } from "../support/model-server.ts";
import { Idea, Pizza, pizzeria } from "../support/pizzeria.ts";
import { Traces } from "../support/traces.ts";

const Facts = artifact("Facts", z.object({ text: z.string() }));
const Taste = artifact("Taste", z.object({ text: z.string() }));
const Review = artifact("Review", z.object({ stars: z.int() }));

const PIZZA = { name: "Tartufo", toppings: ["truffle", "fontina"] };
const SECRET = "no span may contain this";

/** A logger whose lines can be inspected. */
function recorder() {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, logger };
}

/** Five agents: two in parallel, a gate that joins them, a model with a tool, and two in sequence. */
async function newPizza(...answers: [Answer, ...Answer[]]) {
  const server = await ModelServer.start(...answers);
  const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
  const flock = new Flock({ model });
  const application = trace.getTracer("application");
  flock
    .agent("researcher")
    .consumes(Idea)
    .publishes(Facts)
    .run(async ({ Idea: { description } }) => {
      await new Promise((resolve) => setImmediate(resolve));
      application.startActiveSpan("query", (span) => span.end());
      return Facts({ text: description });
    });
  flock
    .agent("taster")
    .consumes(Idea)
    .publishes(Taste)
    .run(({ Idea: { description } }) => Taste({ text: description }));
  flock
    .agent("chef")
    .description("Invents pizzas")
    .consumes(Facts, Taste, { join: { by: "correlation" } })
    .publishes(Pizza)
    .tools({
      larder: tool({
        inputSchema: z.object({ shelf: z.int() }),
        execute: async () => {
          application.startActiveSpan("look", (span) => span.end());
          return SECRET;
        },
      }),
    });
  flock
    .agent("critic")
    .consumes(Pizza)
    .publishes(Review)
    .run(async function* () {
      yield "Hm";
      application.startActiveSpan("chew", (span) => span.end());
      return Review({ stars: 5 });
    });
  flock
    .agent("printer")
    .consumes(Review)
    .run(() => {});
  return {
    flock,
    [Symbol.asyncDispose]: async () => {
      await flock.shutdown();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("one workflow is one trace", () => {
  it("through five agents, a gate, a model and its tool", async () => {
    await using traces = new Traces();
    await using at = await newPizza(callsTool("larder", { shelf: 3 }), saysJson(PIZZA));
    const { correlationId, artifactId } = await at.flock.publish(Idea({ description: SECRET }));
    await at.flock.runUntilIdle();

    expect(traces.traceIds).toHaveLength(1);
    expect(traces.spans.map(({ name }) => name).sort()).toEqual(
      [
        "publish Idea",
        "invoke_agent researcher",
        "query",
        "publish Facts",
        "invoke_agent taster",
        "publish Taste",
        "gate chef",
        "invoke_agent chef",
        "chat test-model",
        "execute_tool larder",
        "look",
        "chat test-model",
        "publish Pizza",
        "invoke_agent critic",
        "chew",
        "publish Review",
        "invoke_agent printer",
      ].sort(),
    );
    // The researcher is delayed, so that its facts complete the gate.
    expect(traces.way(traces.one("invoke_agent printer"))).toEqual([
      "invoke_agent printer",
      "publish Review",
      "invoke_agent critic",
      "publish Pizza",
      "invoke_agent chef",
      "gate chef",
      "publish Facts",
      "invoke_agent researcher",
      "publish Idea",
    ]);
    const gate = traces.one("gate chef");
    expect(gate.links.map((link) => link.context.spanId)).toEqual([traces.one("publish Taste").spanContext().spanId]);
    expect(gate.attributes["flock.gate.waited_ms"]).toBeGreaterThanOrEqual(0);

    for (const span of traces.spans) {
      if (span.instrumentationScope.name !== "flock") continue;
      expect(span.attributes["gen_ai.conversation.id"], span.name).toBe(correlationId);
      expect(span.status.code, span.name).toBe(SpanStatusCode.UNSET);
      expect(span.ended, span.name).toBe(true);
    }
    expect(traces.one("publish Idea").attributes).toMatchObject({
      "flock.artifact.ids": [artifactId],
      "flock.artifact.types": ["Idea"],
    });
    expect(traces.one("publish Idea").kind).toBe(SpanKind.PRODUCER);
    expect(traces.one("invoke_agent chef").attributes).toMatchObject({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": "chef",
      "gen_ai.agent.description": "Invents pizzas",
      "gen_ai.usage.input_tokens": 20,
      "flock.consumed.types": ["Taste", "Facts"],
      "flock.run.attempt": 1,
      "flock.run.status": "success",
    });
    const chats = traces.all("chat test-model");
    expect(chats.map(({ attributes }) => attributes["gen_ai.response.finish_reasons"])).toEqual([
      ["tool-calls"],
      ["stop"],
    ]);
    for (const chat of chats) {
      expect(chat.kind).toBe(SpanKind.CLIENT);
      expect(traces.way(chat)[1]).toBe("invoke_agent chef");
      expect(chat.attributes).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "test-model",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 10,
      });
    }
    const larder = traces.one("execute_tool larder");
    expect(traces.way(larder)[1]).toBe("invoke_agent chef");
    expect(larder.attributes).toMatchObject({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "larder",
      "gen_ai.tool.call.id": "call_larder",
    });
    // Spans of the application inside a run or a tool are children.
    expect(traces.way(traces.one("query"))[1]).toBe("invoke_agent researcher");
    expect(traces.way(traces.one("chew"))[1]).toBe("invoke_agent critic");
    expect(traces.way(traces.one("look"))[1]).toBe("execute_tool larder");
    // No payloads, prompts or answers.
    const told = JSON.stringify(
      traces.spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    );
    expect(told).not.toContain(SECRET);
    expect(told).not.toContain("Tartufo");
  });

  it("that continues the application's trace", async () => {
    await using traces = new Traces();
    await using flock = pizzeria();
    await traces.tracer.startActiveSpan("POST /orders", async (span) => {
      await flock.publish(Idea({ description: "truffle" }));
      span.end();
    });
    await flock.runUntilIdle();
    expect(traces.traceIds).toHaveLength(1);
    expect(traces.way(traces.one("publish Pizza"))).toEqual([
      "publish Pizza",
      "invoke_agent pizza_master",
      "publish Idea",
      "POST /orders",
    ]);
  });

  it("that includes later publishes into the same workflow", async () => {
    await using traces = new Traces();
    await using flock = pizzeria();
    await flock.publish(Idea({ description: "truffle" }), { correlationId: "order-1" });
    await flock.runUntilIdle();
    await flock.publish(Idea({ description: "basil" }), { correlationId: "order-1" });
    await flock.runUntilIdle();
    expect(traces.all("publish Pizza")).toHaveLength(2);
    expect(traces.traceIds).toHaveLength(1);
  });

  it("with one span for several artifacts of one publish", async () => {
    await using traces = new Traces();
    await using flock = pizzeria();
    await flock.publish([Idea({ description: "truffle" }), Idea({ description: "basil" })]);
    await flock.runUntilIdle();
    expect(traces.one("publish Idea").attributes["flock.artifact.ids"]).toHaveLength(2);
    expect(traces.all("invoke_agent pizza_master")).toHaveLength(2);
    expect(traces.traceIds).toHaveLength(1);
  });

  it("when an agent is invoked", async () => {
    await using traces = new Traces();
    await using flock = pizzeria();
    const { done } = await flock.invoke("pizza_master", [Idea({ description: "truffle" })]);
    await done;
    expect(traces.way(traces.one("invoke_agent pizza_master"))).toEqual(["invoke_agent pizza_master", "publish Idea"]);
  });

  it("separate from concurrent workflows", async () => {
    await using traces = new Traces();
    await using at = await newPizza(saysJson(PIZZA));
    const published: Published[] = await Promise.all(
      Array.from({ length: 8 }, (_, n) => at.flock.publish(Idea({ description: `${n}` }))),
    );
    await at.flock.runUntilIdle();
    expect(traces.traceIds).toHaveLength(8);
    const byTrace = Map.groupBy(
      traces.spans.filter(({ instrumentationScope }) => instrumentationScope.name === "flock"),
      (span) => span.spanContext().traceId,
    );
    const conversations = [...byTrace.values()].map((spans) => {
      expect(spans).toHaveLength(12);
      return [...new Set(spans.map(({ attributes }) => attributes["gen_ai.conversation.id"]))];
    });
    expect(conversations.every((ids) => ids.length === 1)).toBe(true);
    expect(conversations.flat().sort()).toEqual(published.map(({ correlationId }) => correlationId).sort());
  });

  it("and a gate across workflows belongs to its run's workflow, with links to the others", async () => {
    await using traces = new Traces();
    await using flock = new Flock();
    flock
      .agent("waiter")
      .consumes(Idea, Idea)
      .run(() => {});
    await flock.publish(Idea({ description: "truffle" }), { correlationId: "first" });
    await flock.publish(Idea({ description: "basil" }), { correlationId: "second" });
    await flock.runUntilIdle();
    const [first, second] = traces.all("publish Idea");
    const run = traces.one("invoke_agent waiter");
    expect(run.attributes["gen_ai.conversation.id"]).toBe("first");
    expect(run.spanContext().traceId).toBe(first?.spanContext().traceId);
    expect(traces.one("gate waiter").links.map((link) => link.context.spanId)).toEqual([second?.spanContext().spanId]);
  });

  it("and a batch links to the other artifacts", async () => {
    await using traces = new Traces();
    await using flock = new Flock();
    flock
      .agent("waiter")
      .consumes(Idea, { batch: { size: 3 } })
      .run(() => {});
    for (const n of [1, 2, 3]) await flock.publish(Idea({ description: `${n}` }), { correlationId: "order-1" });
    await flock.runUntilIdle();
    const ids = traces.all("publish Idea").map((span) => span.spanContext().spanId);
    const gate = traces.one("gate waiter");
    expect(gate.parentSpanContext?.spanId).toBe(ids[2]);
    expect(gate.links.map((link) => link.context.spanId)).toEqual(ids.slice(0, 2));
  });
});

describe("after a restart", () => {
  it("a run starts a new trace under the same conversation", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    const kitchen = async () => {
      const flock = await Flock.open({ store: sqliteStore(path) });
      flock
        .agent("waiter")
        .consumes(Idea)
        .run(({ Idea: { description } }, { attempt }) =>
          description === "slow" && attempt === 1 ? new Promise<void>(() => {}) : undefined,
        );
      return flock;
    };
    await using traces = new Traces();
    {
      await using flock = await kitchen();
      await flock.publish(Idea({ description: "slow" }), { correlationId: "order-1" });
    }
    {
      await using flock = await kitchen();
      await flock.runUntilIdle();
    }
    const runs = traces.all("invoke_agent waiter");
    expect(runs.map(({ attributes }) => attributes["flock.run.status"])).toEqual(["interrupted", "success"]);
    expect(runs.map(({ attributes }) => attributes["gen_ai.conversation.id"])).toEqual(["order-1", "order-1"]);
    expect(runs.map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
    expect(traces.traceIds).toHaveLength(2);
  });
});

describe("status of a run's span", () => {
  it("has the kind of the error but not its message", async () => {
    await using traces = new Traces();
    await using flock = pizzeria();
    await flock.publish(Idea({ description: "pineapple" }));
    await flock.runUntilIdle();
    const run = traces.one("invoke_agent pizza_master");
    expect(run.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(run.attributes).toMatchObject({ "error.type": "RangeError", "flock.run.status": "error" });
    expect(run.events).toEqual([]);
    expect(traces.all("publish Pizza")).toEqual([]);
  });

  it("distinguishes a timeout from a cancellation", async () => {
    await using traces = new Traces();
    await using flock = new Flock();
    flock
      .agent("waiter")
      .consumes(Idea)
      .timeout(1)
      .run(() => new Promise<void>(() => {}));
    flock
      .agent("guest")
      .consumes(Pizza)
      .run(() => new Promise<void>(() => {}));
    await flock.publish(Idea({ description: "truffle" }), { correlationId: "late" });
    await flock.runUntilIdle();
    await flock.publish(Pizza(PIZZA), { correlationId: "cancelled" });
    await flock.cancel({ correlationId: "cancelled" });
    await flock.runUntilIdle();
    const late = traces.one("invoke_agent waiter");
    expect(late.status.code).toBe(SpanStatusCode.ERROR);
    expect(late.attributes).toMatchObject({ "error.type": "timeout", "flock.run.status": "timeout" });
    const cancelled = traces.one("invoke_agent guest");
    expect(cancelled.status.code).toBe(SpanStatusCode.UNSET);
    expect(cancelled.attributes["flock.run.status"]).toBe("cancelled");
    expect(cancelled.attributes).not.toHaveProperty("error.type");
  });

  it("ends the spans of steps that hang, together with the run that was stopped or did not wait for them", async () => {
    await using traces = new Traces();
    await using flock = new Flock();
    const hanging = Promise.withResolvers<void>();
    flock
      .agent("late")
      .consumes(Idea)
      .timeout(1)
      .run((_, { step }) => step("tool", "slow", () => hanging.promise));
    flock
      .agent("cancelled")
      .consumes(Pizza)
      .run((_, { step }) => step("model", "deaf", () => step("tool", "stuck", () => hanging.promise)));
    flock
      .agent("careless")
      .consumes(Facts)
      .run((_, { step }) => {
        step("tool", "forgotten", () => hanging.promise).catch(() => {});
      });
    await flock.publish([Idea({ description: "truffle" }), Facts({ text: "none" })]);
    await flock.runUntilIdle();
    const { correlationId } = await flock.publish(Pizza(PIZZA));
    await flock.cancel({ correlationId });
    const slow = traces.one("execute_tool slow");
    expect(slow.attributes).toMatchObject({ "error.type": "timeout", "flock.run.status": "timeout" });
    for (const [name, status] of [
      ["chat deaf", "cancelled"],
      ["execute_tool stuck", "cancelled"],
      ["execute_tool forgotten", "success"],
    ] as const) {
      const span = traces.one(name);
      expect(span.status.code, name).toBe(SpanStatusCode.UNSET);
      expect(span.attributes).toMatchObject({ "flock.run.status": status, "flock.step.unfinished": true });
    }
    hanging.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(traces.all("execute_tool slow")).toHaveLength(1);
  });

  it("reports a refusing model and a failing tool", async () => {
    await using traces = new Traces();
    await using server = await ModelServer.start(callsTool("larder", {}), failsWith(400, SECRET));
    const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
    await using flock = new Flock({ model });
    const larder = tool({
      inputSchema: z.object({}),
      execute: (): string => {
        throw new RangeError(SECRET);
      },
    });
    flock.agent("chef").consumes(Idea).publishes(Pizza).tools({ larder });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    expect(traces.one("execute_tool larder").attributes["error.type"]).toBe("RangeError");
    const [, failed] = traces.all("chat test-model");
    expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
    expect(failed?.attributes["error.type"]).toBe("AI_APICallError");
    expect(traces.one("invoke_agent chef").attributes["error.type"]).toBe("model_failed");
    expect(
      JSON.stringify(traces.spans.map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.toContain(SECRET);
  });

  it("reports a model call that was aborted with its run", async () => {
    await using traces = new Traces();
    await using server = await ModelServer.start(hangs("{"));
    const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
    await using flock = new Flock({ model });
    const given = Promise.withResolvers<void>();
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .run(async (_, context) => {
        try {
          return await ask(context, Pizza);
        } finally {
          given.resolve();
        }
      });
    await flock.publish(Idea({ description: "truffle" }), { correlationId: "order-1" });
    await server.requested(1);
    await flock.cancel({ correlationId: "order-1" });
    await given.promise;
    const chat = traces.one("chat test-model");
    expect(chat.status.code).toBe(SpanStatusCode.UNSET);
    expect(chat.attributes["flock.run.status"]).toBe("cancelled");
  });
});

describe("application without an SDK", () => {
  it("has no spans until it sets one up", async () => {
    const seen: unknown[] = [];
    const { lines, logger } = recorder();
    await using flock = new Flock({ logger });
    flock
      .agent("waiter")
      .consumes(Idea)
      .run((_, { log }) => {
        seen.push(trace.getActiveSpan());
        log.info({}, "here");
      });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    expect(seen).toEqual([undefined]);
    expect(lines[0]).not.toHaveProperty("trace_id");
    await using traces = new Traces();
    expect(traces.spans).toEqual([]);
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    expect(traces.spans.map(({ name }) => name).sort()).toEqual(["invoke_agent waiter", "publish Idea"]);
  });
});

describe("log lines of a run", () => {
  it("carry its ids, in the agent's and the runtime's lines, and its trace", async () => {
    await using traces = new Traces();
    const { lines, logger } = recorder();
    await using flock = new Flock({ logger });
    const runs: object[] = [];
    flock
      .agent("waiter")
      .consumes(Idea)
      .run((_, { log, runId, activationId, correlationId }) => {
        runs.push({ agent: "waiter", run_id: runId, activation_id: activationId, correlation_id: correlationId });
        log.info({ table: 7 }, "serving");
        throw new RangeError("dropped");
      });
    await flock.publish(Idea({ description: "truffle" }), { correlationId: "order-1" });
    await flock.runUntilIdle();
    const { traceId, spanId } = traces.one("invoke_agent waiter").spanContext();
    expect(lines).toMatchObject([
      { ...runs[0], trace_id: traceId, span_id: spanId, table: 7, msg: "serving" },
      { ...runs[0], trace_id: traceId, span_id: spanId, err: { message: "dropped" }, msg: "a run failed" },
    ]);
  });

  it("include the engine's lines about a model's answer", async () => {
    const { lines, logger } = recorder();
    await using server = await ModelServer.start(saysJson({ name: 1 }), saysJson(PIZZA));
    const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
    await using flock = new Flock({ model, logger });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    await flock.publish(Idea({ description: "truffle" }), { correlationId: "order-1" });
    await flock.runUntilIdle();
    expect(lines).toMatchObject([{ agent: "chef", correlation_id: "order-1", msg: "model answer was invalid" }]);
    expect(lines[0]).toHaveProperty("run_id");
  });
});
