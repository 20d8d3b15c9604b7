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

describe("expectPublished gives what was published, or will be", () => {
  it("what is there already, and what comes later", async () => {
    await using flock = kitchen(() => new Promise((resolve) => setTimeout(resolve, 20)));
    await flock.publish(Idea({ text: "truffle" }));
    const { payload, producedBy } = await expectPublished(flock, Pizza);
    expect([payload, producedBy]).toEqual([{ name: "truffle" }, "chef"]);
    expect((await expectPublished(flock, Idea, { within: 0 })).payload.text).toBe("truffle");
  });

  it("the one that is meant: by where, by workflow, so many", async () => {
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

describe("a failed expectation says what happened instead", () => {
  it("what was published, which run failed and why", async () => {
    await using flock = kitchen(() => {
      throw new Error("the oven is cold");
    });
    await flock.publish(Idea({ text: "truffle" }));
    await flock.runUntilIdle();
    const message = await messageOf(expectPublished(flock, Pizza, { within: 0 }));
    expect(message).toBe(
      [
        "expected a Pizza on the blackboard; there is none after 0 ms.",
        "Published:",
        '  Idea {"text":"truffle"} by external',
        "Failed:",
        "  chef (error): Error: the oven is cold",
        "Waiting: nothing, at no gate",
      ].join("\n"),
    );
  });

  it("what waits at which gate, and what still runs", async () => {
    await using flock = kitchen((text) => (text === "slow" ? new Promise(() => {}) : undefined));
    await flock.publish(Idea({ text: "truffle" }));
    await flock.runUntilIdle();
    await flock.publish(Idea({ text: "slow" }));
    const message = await messageOf(expectPublished(flock, Wine, { within: 20, where: () => true }));
    expect(message).toContain("a Wine that passes `where`");
    expect(message).toContain("Still running:\n  chef");
    expect(message).toContain("Waiting:\n  waiter, gate 0: has 1 × Pizza, waits for 1 × Wine");
  });

  it("that there are more than were expected", async () => {
    await using flock = kitchen();
    await flock.publish([Idea({ text: "a" }), Idea({ text: "b" }), Idea({ text: "c" })]);
    await expect(expectPublished(flock, Idea, { count: 2 })).rejects.toMatchObject({
      name: "AssertionError",
      message: expect.stringMatching(/^expected 2 × Idea on the blackboard; there are 3/),
    });
  });
});

describe("expectNothingPublished", () => {
  it("waits for what still goes on, and shows what there is", async () => {
    await using flock = kitchen(() => new Promise((resolve) => setTimeout(resolve, 10)));
    await flock.publish(Idea({ text: "truffle" }));
    await expectNothingPublished(flock, Wine);
    const message = await messageOf(expectNothingPublished(flock, Pizza));
    expect(message).toMatch(
      /^expected no Pizza on the blackboard; there are 1\.[\s\S]*Pizza {"name":"truffle"} by chef/,
    );
  });

  it("is not held up by a run that waits for a clock that stands still", async () => {
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
  it("gives the end of the run, however it was expected to end", async () => {
    await using flock = kitchen((text) => {
      if (text === "bad") throw new Error("no");
    });
    await flock.publish([Idea({ text: "bad" }), Idea({ text: "good" })]);
    expect((await expectRun(flock, "chef")).produced_artifacts).toHaveLength(1);
    expect((await expectRun(flock, "chef", { status: "error" })).error?.message).toBe("no");
    const message = await messageOf(expectRun(flock, "cook", { within: 0 }));
    expect(message).toContain("there is no agent of that name, only chef, waiter");
  });
});
