// Flock without a server: publishing and running agents.
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";
import { answerWith, GROUP, inGroups, type Program, TEXT, times, type Work } from "./program.ts";
import { CHAINS_AT_ONCE, chainOf, checked, FAN_OUTS_AT_ONCE, fanOutOf, START, step } from "./steps.ts";

answerWith({
  "publish, memory": () => echo(new Flock()),
  "publish, sqlite normal": async (_, file) => echo(await Flock.open({ store: sqliteStore(file) })),
  "publish, sqlite full": async (_, file) =>
    echo(await Flock.open({ store: sqliteStore(file, { durability: "full" }) })),
  matching,
  ...inBothStores("chain", chain),
  ...inBothStores("fan-out", fanOut),
  ...inBothStores("gate", gate),
  ...inBothStores("join", join),
});

/** Returns a program for the memory store and for SQLite with normal durability. */
function inBothStores(
  name: string,
  program: (flock: Flock, among: number) => Work | Promise<Work>,
): Record<string, Program> {
  return {
    [`${name}, memory`]: (among) => program(new Flock(), among),
    [`${name}, sqlite`]: async (among, file) => program(await Flock.open({ store: sqliteStore(file) }), among),
  };
}

const Text = z.object({ text: z.string() });

/** Publishes artifacts through one trivial agent. */
function echo(flock: Flock): Work {
  const In = artifact("In", Text);
  const Out = artifact("Out", Text);
  flock
    .agent("echo")
    .consumes(In)
    .publishes(Out)
    .concurrency(GROUP)
    .run(({ In: { text } }) => Out({ text }));
  return inGroups(GROUP, async (count) => {
    await times(count, () => flock.publish(In({ text: TEXT })));
    await flock.runUntilIdle();
  });
}

/** Publishes artifacts that each trigger one of many agents. */
function matching(agents: number): Work {
  const flock = new Flock();
  const types = Array.from({ length: agents }, (_, i) => artifact(`T${i}`, Text));
  for (const [i, type] of types.entries()) {
    flock
      .agent(`a${i}`)
      .consumes(type)
      .run(() => {});
  }
  return inGroups(GROUP, async (count) => {
    await times(count, (i) => flock.publish((types[i % 10] as (typeof types)[number])({ text: TEXT })));
    await flock.runUntilIdle();
  });
}

const Count = z.object({ n: z.number() });
type Counted = ReturnType<typeof countsOf>[number];

function countsOf(types: number) {
  return Array.from({ length: types }, (_, i) => artifact(`T${i}`, Count));
}

/** Creates agents that each trigger the next one. */
function chain(flock: Flock, agents: number): Work {
  const [First, ...others] = countsOf(agents + 1) as [Counted, ...Counted[]];
  let In = First;
  for (const Out of others) {
    const { typeName } = In;
    flock
      .agent(`after ${typeName}`)
      .consumes(In)
      .publishes(Out)
      .concurrency(CHAINS_AT_ONCE)
      .run((inputs) => Out({ n: step((inputs[typeName] as { n: number }).n) }));
    In = Out;
  }
  const publish = inGroups(CHAINS_AT_ONCE, async (count) => {
    await times(count, () => flock.publish(First({ n: 0 })));
    await flock.runUntilIdle();
  });
  return checked(publish, chainOf(agents));
}

/** Creates agents that one artifact triggers. */
function fanOut(flock: Flock, agents: number): Work {
  const In = artifact("In", Count);
  for (let i = 1; i <= agents; i++) {
    flock
      .agent(`a${i}`)
      .consumes(In)
      .run(({ In: { n } }) => {
        step(n);
      });
  }
  const publish = inGroups(FAN_OUTS_AT_ONCE, async (count) => {
    await times(count, () => flock.publish(In({ n: START })));
    await flock.runUntilIdle();
  });
  return checked(publish, fanOutOf(agents));
}

/** Creates an agent that waits for one artifact of each of several types. */
function gate(flock: Flock, inputs: number): Work {
  const types = countsOf(inputs) as [Counted, ...Counted[]];
  flock
    .agent("all")
    .consumes(...types)
    .concurrency(GROUP)
    .run((found) => {
      step(Object.values(found).reduce((sum, { n }) => sum + n, 0));
    });
  let workflows = 0;
  const publish = inGroups(CHAINS_AT_ONCE, async (count) => {
    await times(count, () => {
      const correlationId = `workflow ${++workflows}`;
      return times(inputs, (i) => flock.publish((types[i] as Counted)({ n: i }), { correlationId }));
    });
    await flock.runUntilIdle();
  });
  return checked(publish, { steps: 1, sum: (inputs * (inputs - 1)) / 2 });
}

/** Creates an agent that two artifacts with the same key trigger, while many other keys stay open. */
async function join(flock: Flock, open: number): Promise<Work> {
  const Keyed = z.object({ key: z.string(), n: z.number() });
  const Left = artifact("Left", Keyed);
  const Right = artifact("Right", Keyed);
  flock
    .agent("matcher")
    .consumes(Left, Right, {
      join: { by: ({ payload }) => payload.key, within: 3_600_000 },
      maxWaiting: open + 2 * GROUP,
    })
    .concurrency(GROUP)
    .run(({ Left: left, Right: right }) => {
      if (left.key === right.key) step(left.n + right.n);
    });
  let keys = 0;
  const publish = (sides: readonly (typeof Left | typeof Right)[]) =>
    inGroups(GROUP, async (count) => {
      await times(count, () => {
        const key = `key ${++keys}`;
        return times(sides.length, (i) => flock.publish((sides[i] as typeof Left)({ key, n: i })));
      });
      await flock.runUntilIdle();
    });
  await publish([Left])(open);
  return checked(publish([Left, Right]), { steps: 1, sum: 1 });
}
