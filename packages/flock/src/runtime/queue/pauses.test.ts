import { emptyState, eventSchema, type FlockEvent, reduceAll } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock, visibility } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { fakeClock } from "../../testing/fake-clock.ts";

const Order = artifact("Order", z.object({ n: z.number() }));

function eventsOf(flock: Flock): FlockEvent[] {
  const { frames } = flock.log.buffer.read(flock.log.oldest - 1, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)].map((text) => eventSchema.parse(JSON.parse(text)));
}
const only = <T extends FlockEvent["type"]>(flock: Flock, type: T) =>
  eventsOf(flock).filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);

/** Creates a kitchen whose cook records its work. */
function kitchen(clock = fakeClock()) {
  const flock = new Flock({ clock });
  const done: number[] = [];
  const cook = (name: string) =>
    flock
      .agent(name)
      .consumes(Order)
      .run(({ Order: { n } }) => {
        done.push(n);
      });
  return { flock, done, cook, clock };
}

describe("paused agent", () => {
  it("starts nothing until it is resumed, then runs everything in order of arrival", async () => {
    const { flock, done, cook } = kitchen();
    cook("chef");
    const { agents, seq } = await flock.pause("chef");
    expect(agents).toEqual(["chef"]);
    const [paused] = only(flock, "agent_paused");
    expect(paused?.agent_id).toBe("chef");
    expect(paused?.seq).toBeLessThanOrEqual(seq);
    for (const n of [1, 2, 3]) await flock.publish(Order({ n }));
    await flock.runUntilIdle();
    expect(done).toEqual([]);
    expect(flock.agents()).toMatchObject([{ name: "chef", paused: true, queued: 3 }]);
    expect((await flock.resume("chef")).agents).toEqual(["chef"]);
    await flock.runUntilIdle();
    expect(done).toEqual([1, 2, 3]);
    expect(flock.agents()).toMatchObject([{ paused: false, queued: 0 }]);
    await flock.shutdown();
  });

  it("finishes active runs", async () => {
    await using flock = new Flock();
    const { promise, resolve } = Promise.withResolvers<void>();
    flock
      .agent("chef")
      .consumes(Order)
      .run(() => promise);
    await flock.publish(Order({ n: 1 }));
    await flock.pause("chef");
    await flock.publish(Order({ n: 2 }));
    resolve();
    await flock.runUntilIdle();
    expect(only(flock, "agent_execution_completed").map(({ status }) => status)).toEqual(["success"]);
    expect(flock.agents()).toMatchObject([{ queued: 1 }]);
  });

  it("reports the pause and its queue at once, then at most every quarter of a second", async () => {
    const { flock, cook, clock } = kitchen();
    cook("chef");
    await flock.pause();
    for (const n of [1, 2, 3]) await flock.publish(Order({ n }));
    await flock.runUntilIdle();
    expect(only(flock, "agent_queue_changed").map(({ queued }) => queued)).toEqual([1]);
    await clock.advance(250);
    await flock.runUntilIdle();
    await clock.advance(10_000);
    await flock.runUntilIdle();
    expect(only(flock, "agent_queue_changed").map(({ queued }) => queued)).toEqual([1, 3]);
    expect(reduceAll(emptyState(), eventsOf(flock)).agents.get("chef")).toMatchObject({ paused: true, queued: 3 });
    expect(flock.graph().nodes.find(({ id }) => id === "chef")).toMatchObject({ paused: true });
    await flock.resume();
    await flock.runUntilIdle();
    const state = reduceAll(emptyState(), eventsOf(flock)).agents.get("chef");
    expect(state).not.toHaveProperty("paused");
    expect(state).not.toHaveProperty("queued");
    await flock.shutdown();
  });

  it("drops cancelled activations", async () => {
    const { flock, done, cook } = kitchen();
    cook("chef");
    await flock.pause("chef");
    const { correlationId } = await flock.publish(Order({ n: 1 }));
    await flock.publish(Order({ n: 2 }));
    expect((await flock.cancel({ correlationId })).cancelled).toBe(1);
    await flock.resume("chef");
    await flock.runUntilIdle();
    expect(done).toEqual([2]);
    await flock.shutdown();
  });

  it("does not block other agents", async () => {
    const { flock, done, cook } = kitchen();
    cook("chef");
    cook("sous-chef");
    await flock.pause("chef");
    await flock.publish(Order({ n: 7 }));
    await flock.runUntilIdle();
    expect(done).toEqual([7]);
    await flock.shutdown();
  });

  it("can be paused or resumed twice without a second event", async () => {
    const { flock, cook } = kitchen();
    cook("chef");
    await flock.pause("chef");
    expect((await flock.pause()).agents).toEqual([]);
    await flock.resume();
    expect((await flock.resume("chef")).agents).toEqual([]);
    expect(only(flock, "agent_paused")).toHaveLength(1);
    expect(only(flock, "agent_resumed")).toHaveLength(1);
    await flock.shutdown();
  });

  it("must exist", async () => {
    await using flock = new Flock();
    await expect(flock.pause("unknown")).rejects.toMatchObject({ code: "unknown_agent" });
  });
});

describe("a principal that may not see queued work", () => {
  it("sees the pause but not the number of activations", async () => {
    const { flock } = kitchen();
    flock
      .agent("chef")
      .labels("kitchen")
      .consumes(Order)
      .run(() => {});
    await flock.pause("chef");
    await flock.publish(Order({ n: 1 }), { visibility: visibility.labelled("kitchen") });
    await flock.runUntilIdle();
    expect(only(flock, "agent_paused")[0]).not.toHaveProperty("visibility");
    expect(only(flock, "agent_queue_changed")).toMatchObject([
      { queued: 1, visibility: { kind: "labelled", required_labels: ["kitchen"] } },
    ]);
    const guest = { kind: "client", name: "guest" } as const;
    expect(flock.agents(guest)).toMatchObject([{ paused: true }]);
    expect(flock.agents(guest)[0]).not.toHaveProperty("queued");
    expect(flock.graph(guest).nodes.find(({ id }) => id === "chef")).toMatchObject({ paused: true });
    await flock.resume();
    expect(flock.agents(guest)).toMatchObject([{ paused: false }]);
    expect(flock.graph(guest).nodes.find(({ id }) => id === "chef")).not.toHaveProperty("paused");
    await flock.shutdown();
  });
});

describe("concurrency of the flock", () => {
  it("limits all agents together, higher priorities first", async () => {
    await using flock = new Flock({ concurrency: 1 });
    const began: string[] = [];
    let running = 0;
    for (const [name, priority] of [
      ["low", -1],
      ["middle", 0],
      ["high", 5],
    ] as const) {
      flock
        .agent(name)
        .priority(priority)
        .consumes(Order)
        .run(async () => {
          began.push(name);
          expect(++running).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
        });
    }
    await flock.publish([1, 2].map((n) => Order({ n })));
    await flock.runUntilIdle();
    // The first run started in an empty flock.
    expect(began).toEqual(["low", "high", "high", "middle", "middle", "low"]);
    expect(flock.agents().map(({ priority }) => priority)).toEqual([-1, 0, 5]);
  });

  it.for([0, 1.5, "rejects %s"])("cannot be %s", (concurrency) => {
    expect(() => new Flock({ concurrency: concurrency as number })).toThrow(/concurrency/);
  });
});
