import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../index.ts";
import { expectNothingPublished, expectPublished, expectRun } from "./expect-published.ts";
import { fakeClock } from "./fake-clock.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const Wine = artifact("Wine", z.object({ name: z.string() }));

const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: Error) => error.message,
  );

function kitchen(cook: (text: string) => unknown = (text) => text): Flock {
  const flock = new Flock();
  flock
    .agent("chef")
    .consumes(Idea)
    .publishes(Pizza)
    .run(async ({ Idea: { text } }) => {
      await cook(text);
      return Pizza({ name: text });
    });
  flock
    .agent("waiter")
    .consumes(Pizza, Wine)
    .run(() => {});
  return flock;
}

describe("expectPublished returns", () => {
  it("artifacts that exist or are published later", async () => {
    const baked = Promise.withResolvers<void>();
    await using flock = kitchen(() => baked.promise);
    await flock.publish(Idea({ text: "truffle" }));
    const published = expectPublished(flock, Pizza);
    baked.resolve();
    const { payload, producedBy } = await published;
    expect([payload, producedBy]).toEqual([{ name: "truffle" }, "chef"]);
    expect((await expectPublished(flock, Idea, { within: 0 })).payload.text).toBe("truffle");
  });

  it("artifacts that match a predicate, workflow or count", async () => {
    await using flock = kitchen();
    const { correlationId } = await flock.publish(Idea({ text: "a" }));
    await flock.publish(Idea({ text: "b" }));
    const b = await expectPublished(flock, Pizza, { where: ({ payload }) => payload.name === "b" });
    expect(b.payload.name).toBe("b");
    expect((await expectPublished(flock, Pizza, { correlationId })).payload.name).toBe("a");
    const both = await expectPublished(flock, Pizza, { count: 2 });
    expect(both.map(({ payload }) => payload.name)).toEqual(["a", "b"]);
  });
});

describe("a failed expectation reports", () => {
  it("published artifacts, failed runs and their errors", async () => {
    await using flock = kitchen(() => {
      throw new Error("the oven is cold");
    });
    await flock.publish(Idea({ text: "truffle" }));
    await flock.runUntilIdle();
    const message = await messageOf(expectPublished(flock, Pizza, { within: 0 }));
    expect(message).toBe(
      [
        "expected a Pizza on the blackboard, found none after 0 ms.",
        "Published:",
        '  Idea {"text":"truffle"} by external',
        "Failed:",
        "  chef (error): Error: the oven is cold",
        "Waiting: nothing",
      ].join("\n"),
    );
  });

  it("waiting gates and active runs", async () => {
    await using flock = kitchen((text) => (text === "slow" ? new Promise(() => {}) : undefined));
    await flock.publish(Idea({ text: "truffle" }));
    await flock.runUntilIdle();
    await flock.publish(Idea({ text: "slow" }));
    const message = await messageOf(expectPublished(flock, Wine, { within: 20, where: () => true }));
    expect(message).toContain("a Wine that passes `where`");
    expect(message).toContain("Still running:\n  chef");
    expect(message).toContain("Waiting:\n  waiter, gate 0: has 1 × Pizza, waits for 1 × Wine");
  });

  it("a higher number of artifacts", async () => {
    await using flock = kitchen();
    await flock.publish([Idea({ text: "a" }), Idea({ text: "b" }), Idea({ text: "c" })]);
    await expect(expectPublished(flock, Idea, { count: 2 })).rejects.toMatchObject({
      name: "AssertionError",
      message: expect.stringMatching(/^expected 2 × Idea on the blackboard, found 3/),
    });
  });
});

describe("expectNothingPublished", () => {
  it("waits for active runs and reports the found artifacts", async () => {
    const baked = Promise.withResolvers<void>();
    await using flock = kitchen(() => baked.promise);
    await flock.publish(Idea({ text: "truffle" }));
    const outcome = expectNothingPublished(flock, Wine).then(() => "resolved");
    expect(await Promise.race([outcome, setImmediate("pending")])).toBe("pending");
    baked.resolve();
    expect(await outcome).toBe("resolved");
    const message = await messageOf(expectNothingPublished(flock, Pizza));
    expect(message).toMatch(/^expected no Pizza on the blackboard, found 1\.[\s\S]*Pizza {"name":"truffle"} by chef/);
  });

  it("does not wait for a run that waits for the fake clock", async () => {
    await using flock = new Flock({ clock: fakeClock() });
    flock
      .agent("sloth")
      .consumes(Idea)
      .run(() => new Promise(() => {}));
    await flock.publish(Idea({ text: "x" }));
    await expectNothingPublished(flock, Pizza, { within: 20 });
  });
});

describe("expectRun", () => {
  it("returns the end of a run with the expected status", async () => {
    await using flock = kitchen((text) => {
      if (text === "bad") throw new Error("no");
    });
    await flock.publish([Idea({ text: "bad" }), Idea({ text: "good" })]);
    expect((await expectRun(flock, "chef")).produced_artifacts).toHaveLength(1);
    expect((await expectRun(flock, "chef", { status: "error" })).error?.message).toBe("no");
    const message = await messageOf(expectRun(flock, "cook", { within: 0 }));
    expect(message).toContain("no agent has that name; declared agents: chef, waiter");
  });
});
