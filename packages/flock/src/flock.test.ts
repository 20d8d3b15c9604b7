import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { eventSchema, type FlockEvent, OWNER } from "@flock-ts/protocol";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../tests/support/folder.ts";
import { artifact, Flock, FlockError, memoryStore } from "./index.ts";
import { textsOf } from "./log/frame.ts";
import { sqliteStore } from "./store/sqlite/index.ts";

const Idea = artifact("Idea", z.object({ text: z.string().min(1) }));
const Pizza = artifact("Pizza", z.object({ name: z.string(), toppings: z.array(z.string()) }));
const Photo = artifact("Photo", z.object({ n: z.number() }));
const Note = artifact("Note", z.object({ text: z.string() }));

/** All events of a flock so far, as the wire has them; each is checked against its schema. */
function eventsOf(flock: Flock): FlockEvent[] {
  const { frames } = flock.log.buffer.read(flock.log.oldest - 1, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)].map((text) => eventSchema.parse(JSON.parse(text)));
}
const ofType = <T extends FlockEvent["type"]>(flock: Flock, type: T) =>
  eventsOf(flock).filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);

describe("work flows from the types", () => {
  it("an agent runs on what it consumes and publishes what it returns", async () => {
    const flock = new Flock();
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .run(({ Idea: idea }) => Pizza({ name: idea.text, toppings: [] }));
    const { triggeredAgents, correlationId, seq } = await flock.publish(Idea({ text: "truffle" }));
    expect(triggeredAgents).toEqual(["chef"]);
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Pizza)).toEqual([{ name: "truffle", toppings: [] }]);
    const after = eventsOf(flock).filter((event) => event.seq >= seq && event.type !== "graph_updated");
    expect(after.map(({ type }) => type)).toEqual([
      "artifact_published",
      "agent_execution_started",
      "artifact_published",
      "agent_execution_completed",
    ]);
    expect(new Set(after.map((event) => "correlation_id" in event && event.correlation_id))).toEqual(
      new Set([correlationId]),
    );
  });

  it("waits for all types of an AND gate, in any order, and uses each artifact once", async () => {
    const flock = new Flock();
    const seen: unknown[] = [];
    flock
      .agent("editor")
      .consumes(Photo, Photo, Note)
      .run(({ Photo: photos, Note: note }) => {
        expectTypeOf(photos).toExtend<readonly [{ n: number }, { n: number }]>();
        seen.push([photos.map(({ n }) => n), note.text]);
      });
    await flock.publish(Photo({ n: 1 }));
    await flock.publish(Note({ text: "a" }));
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    for (const n of [2, 3, 4]) await flock.publish(Photo({ n }));
    await flock.publish(Note({ text: "b" }));
    await flock.runUntilIdle();
    expect(seen).toEqual([
      [[1, 2], "a"],
      [[3, 4], "b"],
    ]);
    expect(ofType(flock, "gate_progress")[1]).toMatchObject({
      collected: { Photo: 1, Note: 1 },
      required: { Photo: 2, Note: 1 },
    });
  });

  it("gathers by workflow when the gate joins by correlation", async () => {
    const flock = new Flock();
    const seen: string[] = [];
    flock
      .agent("pair")
      .consumes(Photo, Note, { join: { by: "correlation" } })
      .run(({ Photo: photo, Note: note }) => void seen.push(`${photo.n}${note.text}`));
    await flock.publish(Photo({ n: 1 }), { correlationId: "x" });
    await flock.publish(Note({ text: "y" }), { correlationId: "y" });
    await flock.publish(Photo({ n: 2 }), { correlationId: "y" });
    await flock.publish(Note({ text: "x" }), { correlationId: "x" });
    await flock.runUntilIdle();
    expect(seen.sort()).toEqual(["1x", "2y"]);
  });

  it("takes either alternative of chained consumes", async () => {
    const flock = new Flock();
    const seen: string[] = [];
    flock
      .agent("either")
      .consumes(Note)
      .consumes(Photo)
      .run(({ Note: note, Photo: photo }) => void seen.push(note?.text ?? String(photo?.n)));
    await flock.publish([Note({ text: "a" }), Photo({ n: 7 })]);
    await flock.runUntilIdle();
    expect(seen.sort()).toEqual(["7", "a"]);
  });

  it("asks where and tags before it wakes an agent", async () => {
    const flock = new Flock();
    const seen: number[] = [];
    flock
      .agent("picky")
      .consumes(Photo, { where: ({ payload }) => payload.n > 1, tags: ["good"] })
      .run(({ Photo: photo }) => void seen.push(photo.n));
    await flock.publish([Photo({ n: 1 }), Photo({ n: 2 })], { tags: ["good", "other"] });
    await flock.publish(Photo({ n: 3 }), { tags: ["bad"] });
    await flock.runUntilIdle();
    expect(seen).toEqual([2]);
  });

  it("does not wake anyone when where throws, and the publish goes through", async () => {
    const flock = new Flock();
    flock
      .agent("broken")
      .consumes(Photo, {
        where: () => {
          throw new Error("no");
        },
      })
      .run(() => {});
    expect((await flock.publish(Photo({ n: 1 }))).triggeredAgents).toEqual([]);
  });

  it("does not wake an agent by its own artifacts, unless it opts in", async () => {
    const flock = new Flock({ maxDepth: 5 });
    flock
      .agent("calm")
      .consumes(Note)
      .publishes(Note)
      .run(() => Note({ text: "again" }));
    await flock.publish(Note({ text: "go" }));
    await flock.runUntilIdle();
    expect(ofType(flock, "agent_execution_started")).toHaveLength(1);
  });

  it("stops a runaway loop with an error that says what to do", async () => {
    const flock = new Flock({ maxDepth: 5 });
    flock
      .agent("loop")
      .consumes(Note)
      .publishes(Note)
      .preventSelfTrigger(false)
      .run(() => Note({ text: "again" }));
    const { correlationId } = await flock.publish(Note({ text: "go" }));
    await flock.runUntilIdle();
    const ends = ofType(flock, "agent_execution_completed");
    expect(ends.map(({ status }) => status)).toEqual(["success", "success", "success", "success", "success", "error"]);
    expect(ends.at(-1)?.error).toMatchObject({
      name: "LoopError",
      message: expect.stringContaining("maxDepth"),
    });
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "failed", run_count: 6, error_count: 1 });
  });

  it("never runs more of an agent at a time than its concurrency", async () => {
    const flock = new Flock();
    let now = 0;
    let most = 0;
    flock
      .agent("busy")
      .consumes(Photo)
      .concurrency(3)
      .run(async () => {
        most = Math.max(most, ++now);
        await setImmediate();
        now -= 1;
      });
    await flock.publish(Array.from({ length: 20 }, (_, n) => Photo({ n })));
    await flock.runUntilIdle();
    expect(most).toBe(3);
    expect(ofType(flock, "agent_execution_completed")).toHaveLength(20);
  });
});

describe("a run streams its output", () => {
  it("from a generator's strings and from ctx.stream, without loss, with offsets", async () => {
    const flock = new Flock();
    const long = "🍕".repeat(20_000);
    flock
      .agent("poet")
      .consumes(Idea)
      .publishes(Note)
      .run(async function* (_, ctx) {
        yield "Roses ";
        ctx.stream("are \ud83c", { artifactType: "Note" });
        yield "\udf39.";
        yield long;
        return Note({ text: "done" });
      });
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    const pieces = ofType(flock, "streaming_output");
    expect(pieces.map(({ content }) => content).join("")).toBe(`Roses are 🌹.${long}`);
    let offset = 0;
    for (const piece of pieces) {
      expect(piece.offset).toBe(offset);
      offset += piece.content.length;
      expect(piece.content.isWellFormed()).toBe(true);
    }
    expect(pieces.map(({ is_complete }) => is_complete)).toEqual([...pieces.slice(1).map(() => false), true]);
  });
});

describe("an agent that fails ends its own run and nothing else", () => {
  it("with status error, the error's name and message", async () => {
    const flock = new Flock();
    flock
      .agent("bad")
      .consumes(Idea)
      .run(() => {
        throw new TypeError("no dough");
      });
    flock
      .agent("good")
      .consumes(Idea)
      .publishes(Note)
      .run(async () => Note({ text: "fine" }));
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    const ends = ofType(flock, "agent_execution_completed");
    expect(ends.find(({ agent_id }) => agent_id === "bad")).toMatchObject({
      status: "error",
      error: { name: "TypeError", message: "no dough" },
    });
    expect(ends.find(({ agent_id }) => agent_id === "good")).toMatchObject({ status: "success" });
  });

  it("also when it returns what it does not publish, nothing at all, or something that is no draft", async () => {
    const flock = new Flock();
    const returns: Record<string, unknown> = {
      other: Pizza({ name: "x", toppings: [] }),
      nothing: undefined,
      raw: { text: "x" },
    };
    for (const [name, value] of Object.entries(returns)) {
      flock
        .agent(name)
        .consumes(Idea)
        .publishes(Note)
        .run((() => value) as never);
    }
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    for (const end of ofType(flock, "agent_execution_completed")) {
      expect(end).toMatchObject({
        status: "error",
        error: { name: "wrong_output", message: expect.stringContaining(end.agent_id) },
      });
    }
  });
});

describe("cancel and shutdown end runs at once", () => {
  it("running as well as queued, by run or by workflow", async () => {
    const flock = new Flock();
    let aborted = 0;
    flock
      .agent("slow")
      .consumes(Photo)
      .concurrency(1)
      .run((_, { signal }) => new Promise<void>(() => signal.addEventListener("abort", () => (aborted += 1))));
    await flock.publish([Photo({ n: 1 }), Photo({ n: 2 })], { correlationId: "w" });
    const { runId, done } = await flock.invoke("slow", [Photo({ n: 3 })], { correlationId: "other" });
    expect(await flock.cancel({ runId })).toMatchObject({ cancelled: 1 });
    expect(await done).toMatchObject({ status: "cancelled" });
    expect(await flock.cancel({ correlationId: "w" })).toMatchObject({ cancelled: 2 });
    await flock.runUntilIdle();
    expect(aborted).toBe(1);
    expect(ofType(flock, "agent_execution_completed").map(({ status }) => status)).toEqual([
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
  });

  it("for a function that looks at its signal, or streams, only afterwards too", async () => {
    const flock = new Flock();
    const late = Promise.withResolvers<AbortSignal>();
    const cancelled = Promise.withResolvers<void>();
    flock
      .agent("late")
      .consumes(Photo)
      .run(async (_, context) => {
        await cancelled.promise;
        context.stream("too late");
        late.resolve(context.signal);
      });
    const { runId, done } = await flock.invoke("late", [Photo({ n: 1 })]);
    await flock.cancel({ runId });
    expect(await done).toMatchObject({ status: "cancelled" });
    cancelled.resolve();
    const signal = await late.promise;
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "RunStopped", status: "cancelled" });
    await flock.runUntilIdle();
    expect(ofType(flock, "streaming_output")).toEqual([]);
  });

  it("and a flock that has shut down rejects more work with `shutting_down`", async () => {
    const flock = new Flock();
    flock
      .agent("slow")
      .consumes(Photo)
      .run(() => new Promise<void>(() => {}));
    await flock.publish(Photo({ n: 1 }));
    await flock.shutdown();
    expect(ofType(flock, "agent_execution_completed")[0]?.status).toBe("interrupted");
    await expect(flock.publish(Photo({ n: 2 }))).rejects.toMatchObject({ code: "shutting_down" });
  });
});

describe("mistakes are reported clearly", () => {
  const codeOf = async (act: () => unknown) => {
    try {
      await act();
    } catch (error) {
      expect(error).toBeInstanceOf(FlockError);
      return (error as FlockError).code;
    }
    return "nothing thrown";
  };

  it("an invalid payload with the path of the field", () => {
    expect(() => Pizza({ name: "x", toppings: ["a", 1 as never] })).toThrow(
      /Invalid payload of `Pizza`: toppings\.1: /,
    );
  });

  it("names, types and options", async () => {
    const flock = new Flock();
    flock
      .agent("a")
      .consumes(Idea)
      .run(() => {});
    expect(await codeOf(() => flock.agent("a"))).toBe("duplicate_agent");
    expect(await codeOf(() => flock.agent("external"))).toBe("invalid_name");
    expect(await codeOf(() => flock.agent("a,b"))).toBe("invalid_name");
    expect(await codeOf(() => flock.publish({ type: "Idea" } as never))).toBe("not_a_draft");
    expect(await codeOf(() => flock.publish(artifact("Idea", z.object({}))({})))).toBe("duplicate_artifact_type");
    expect(await codeOf(() => new Flock({ tailByte: 3 } as never))).toBe("invalid_options");
    expect(await codeOf(() => flock.wire.publish({ artifact_type: "Idee", payload: {} }, OWNER))).toBe(
      "unknown_artifact_type",
    );
    expect(await codeOf(() => flock.wire.publish({ artifact_type: "Idea", payload: {} }, OWNER))).toBe(
      "invalid_payload",
    );
    expect(await codeOf(() => flock.invoke("b", [Idea({ text: "x" })]))).toBe("unknown_agent");
    expect(await codeOf(() => flock.invoke("a", [Photo({ n: 1 })]))).toBe("invalid_request");
    expect(await codeOf(() => flock.agent("c").run(() => {}))).toBe("agent_incomplete");
    expect(await codeOf(() => flock.publish(Idea({ text: "x" })))).toBe("agent_incomplete");
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "Failed to publish: expected a draft, got `undefined`. Call an artifact type"],
    ["a promise", Promise.resolve(Idea({ text: "x" })), "got a promise. Await it first."],
    ["a type", Idea, "got the artifact type `Idea` itself. Call it with the payload: `Idea({ … })`."],
    ["a payload", { text: "x" }, "got an object. Call an artifact type with the payload"],
    ["several, one of them a promise", [Idea({ text: "x" }), Promise.resolve()], "got a promise. Await it first."],
  ])("publishing %s", async (_what, value, message) => {
    await expect(new Flock().publish(value as never)).rejects.toThrow(message);
    await expect(new Flock().publish(value as never)).rejects.toMatchObject({ code: "not_a_draft" });
  });

  it("a payload that is not JSON", async () => {
    const Big = artifact("Big", z.object({ n: z.unknown() }));
    expect(() => Big({ n: 1n })).toThrow("Invalid payload of `Big`: n: a bigint does not survive JSON");
  });
});

describe("a publish with an idempotency key", () => {
  it("happens once, and a second one gets the first one's result", async () => {
    const flock = new Flock();
    const publish = () => flock.publish(Note({ text: "x" }), { idempotencyKey: "k" });
    const [first, second] = await Promise.all([publish(), publish()]);
    expect(second).toEqual(first);
    expect(await publish()).toEqual(first);
    expect(await flock.store.getByType(Note)).toHaveLength(1);
  });

  it.each([["memory"], ["SQLite"]] as const)("refuses the key for another payload or type (%s)", async (kind) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "flock.db");
    const open = () => Flock.open({ store: kind === "memory" ? memoryStore() : sqliteStore(path) });
    const idempotencyKey = "k";
    let flock = await open();
    const first = flock.publish(Note({ text: "x" }), { idempotencyKey });
    const conflict = { code: "idempotency_conflict" };
    await expect(flock.publish(Note({ text: "y" }), { idempotencyKey })).rejects.toMatchObject(conflict);
    await first;
    if (kind === "SQLite") {
      await flock.shutdown();
      flock = await open();
    }
    await expect(flock.publish(Photo({ n: 1 }), { idempotencyKey })).rejects.toThrow(
      /`Note` \S+ was published under it, and now a `Photo` was sent/,
    );
    await expect(flock.publish(Note({ text: "y" }), { idempotencyKey })).rejects.toMatchObject(conflict);
    expect(await flock.publish(Note({ text: "x" }), { idempotencyKey })).toMatchObject({ seq: (await first).seq });
    await flock.shutdown();
  });

  it("returns the first result although the schema generates other values, and refuses other given ones", async () => {
    const Order = artifact(
      "Order",
      z.object({
        id: z.string().default(() => crypto.randomUUID()),
        lines: z.array(z.object({ item: z.string(), at: z.number().default(() => Math.random()) })),
      }),
    );
    await using flock = new Flock();
    const options = { idempotencyKey: "k" };
    const publish = (item: string) => flock.publish(Order({ lines: [{ item }] }), options);
    const { seq } = await publish("truffle");
    expect(await publish("truffle")).toMatchObject({ seq });
    const request = { artifact_type: "Order", idempotency_key: "wire", payload: { lines: [{ item: "olive" }] } };
    const overTheWire = await flock.wire.publish(request, OWNER);
    expect(await flock.wire.publish(request, OWNER)).toMatchObject({ seq: overTheWire.seq });
    const conflict = { code: "idempotency_conflict" };
    await expect(publish("olive")).rejects.toMatchObject(conflict);
    await expect(flock.publish(Order({ lines: [] }), options)).rejects.toMatchObject(conflict);
    await expect(flock.publish(Order({ id: "x", lines: [{ item: "truffle" }] }), options)).rejects.toMatchObject(
      conflict,
    );
  });

  it("is refused for several drafts: it covers one artifact", async () => {
    const publish = new Flock().publish([Note({ text: "x" })], { idempotencyKey: "k" } as never);
    await expect(publish).rejects.toThrow(/it covers one artifact\. Publish each draft with its own key/);
  });
});

describe("a large payload", () => {
  it("stays out of the event, which tells its size, and is on the blackboard", async () => {
    const flock = new Flock({ maxInlinePayloadBytes: 100 });
    const { artifactId } = await flock.publish(Note({ text: "é".repeat(60) }));
    expect(ofType(flock, "artifact_published")[0]).toMatchObject({ payload_bytes: 131 });
    expect(ofType(flock, "artifact_published")[0]).not.toHaveProperty("payload");
    expect((await flock.store.get(artifactId))?.payload).toEqual({ text: "é".repeat(60) });
  });
});

describe("types follow the declaration", () => {
  it("inputs by what is consumed, outputs by what is published", () => {
    const flock = new Flock();
    const builder = flock.agent("typed").consumes(Idea, Photo).publishes(Pizza);
    builder.run(({ Idea: idea, Photo: photo }, ctx) => {
      expectTypeOf(idea).toEqualTypeOf<{ text: string }>();
      expectTypeOf(photo).toEqualTypeOf<{ n: number }>();
      expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
      return [Pizza({ name: "x", toppings: [] })];
    });
    const chef = () => new Flock().agent("chef").consumes(Idea).publishes(Pizza);
    // @ts-expect-error: it publishes a Pizza, not a Note
    chef().run(() => Note({ text: "x" }));
    // @ts-expect-error: it must return what it publishes
    chef().run(() => {});
    // @ts-expect-error: there is no such field
    new Flock().agent("field").consumes(Idea, { where: ({ payload }) => payload.nothing === 1 });
  });
});
