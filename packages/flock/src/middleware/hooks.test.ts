import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, type Draft, Flock, type RunContext, type StoredArtifact } from "../index.ts";
import { AgentComponent, type DraftOrigin } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));

type Next = () => Promise<readonly Draft[]>;

/** Creates a component that has only the given hooks. */
function component(name: string, hooks: Partial<AgentComponent>): AgentComponent {
  class Given extends AgentComponent {
    readonly name = name;
  }
  return Object.assign(new Given(), hooks);
}

/** Creates a component that records its calls. */
function recorder(name: string, seen: string[], priority?: number): AgentComponent {
  return component(name, {
    ...(priority === undefined ? {} : { priority }),
    schedule: () => seen.push(`${name} schedule`) * 0,
    consume: () => void seen.push(`${name} consume`),
    async evaluate(_run: RunContext, next: Next) {
      seen.push(`${name} in`);
      const drafts = await next();
      seen.push(`${name} out`);
      return drafts;
    },
    usage: () => void seen.push(`${name} usage`),
    publish: ({ type }: Draft) => void seen.push(`${name} publish ${type}`),
    published: ({ type }: StoredArtifact) => void seen.push(`${name} published ${type}`),
    error: () => void seen.push(`${name} error`),
  });
}

/** Runs a chef once with these components and returns the outcome. */
async function cook(
  own: readonly AgentComponent[],
  { all = [], bake = ({ Idea: { text } }) => Pizza({ name: text }) }: Partial<Kitchen> = {},
) {
  await using flock = new Flock({ components: all });
  flock
    .agent("chef")
    .use(...own)
    .consumes(Idea)
    .publishes(Pizza, { where: ({ name }) => name !== "none" })
    .run(bake);
  const { done } = await flock.invoke("chef", [Idea({ text: "truffle" })]);
  const end = await done;
  return { ...end, pizzas: (await flock.store.getByType(Pizza)).map(({ name }) => name) };
}

interface Kitchen {
  readonly all: readonly AgentComponent[];
  readonly bake: (
    inputs: { readonly Idea: { readonly text: string } },
    context: RunContext,
  ) =>
    | ReturnType<typeof Pizza>
    | Promise<ReturnType<typeof Pizza>>
    | AsyncGenerator<string, ReturnType<typeof Pizza>, undefined>;
}

describe("component order", () => {
  it("runs the flock's components outside the agent's, each hook in its order", async () => {
    const seen: string[] = [];
    const { status } = await cook([recorder("own", seen)], {
      all: [recorder("all", seen)],
      bake: (_, context) => {
        seen.push("runs");
        context.addUsage({ tokens: 1 });
        return Pizza({ name: "x" });
      },
    });
    expect(status).toBe("success");
    expect(seen).toEqual([
      "all publish Idea",
      "all published Idea",
      ...["all schedule", "own schedule", "all consume", "own consume", "all in", "own in"],
      ...["runs", "own usage", "all usage", "own out", "all out"],
      ...["own publish Pizza", "all publish Pizza", "own published Pizza", "all published Pizza"],
    ]);
  });

  it("follows priority, then the order of use", async () => {
    const seen: string[] = [];
    await cook([recorder("b", seen), recorder("c", seen), recorder("a", seen, 10)]);
    expect(seen.filter((what) => what.endsWith(" in"))).toEqual(["a in", "b in", "c in"]);
  });

  it("runs a component once that the flock and the agent share", async () => {
    const seen: string[] = [];
    const both = recorder("both", seen);
    await cook([both], { all: [both] });
    expect(seen.filter((what) => what.endsWith(" in"))).toEqual(["both in"]);
  });

  it("wraps a generator whose strings are streamed", async () => {
    const seen: string[] = [];
    const { pizzas } = await cook([recorder("own", seen)], {
      async *bake() {
        yield "hmm";
        return Pizza({ name: "slow" });
      },
    });
    expect(pizzas).toEqual(["slow"]);
    expect(seen).toContain("own out");
  });

  it("adds no turn to runs without an `evaluate` hook", async () => {
    const turns: string[] = [];
    await using flock = new Flock();
    flock
      .agent("chef")
      .use(component("looks", { consume: () => void turns.push("consume") }))
      .consumes(Idea)
      .run(() => {
        turns.push("run");
        queueMicrotask(() => turns.push("microtask"));
      });
    flock
      .agent("waiter")
      .consumes(Pizza)
      .run(() => {});
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    expect(turns).toEqual(["consume", "run", "microtask"]);
  });
});

describe("a component can replace", () => {
  it("the agent's inputs, in the arguments and in the context", async () => {
    const shout = component("shout", {
      consume: (artifacts) => artifacts.map((one) => ({ ...one, payload: { text: "TRUFFLE" } })),
    });
    const { pizzas } = await cook([shout], {
      bake: ({ Idea: { text } }, { artifacts }) =>
        Pizza({
          name: `${text} ${(artifacts as readonly StoredArtifact<string, { text: string }>[])[0]?.payload.text}`,
        }),
    });
    expect(pizzas).toEqual(["TRUFFLE TRUFFLE"]);
  });

  it("the run itself and its output", async () => {
    const spare = component("spare", { evaluate: async () => [Pizza({ name: "spare" }), Pizza({ name: "none" })] });
    const { pizzas } = await cook([spare], {
      bake: () => {
        throw new Error("it ran");
      },
    });
    // The agent's output declarations apply to the replacement, too.
    expect(pizzas).toEqual(["spare"]);
  });

  it("an error, with another attempt or another error", async () => {
    const again = component("again", { evaluate: (_run: RunContext, next: Next) => next().catch(next) });
    let tries = 0;
    const bake = ({ Idea: { text } }: { readonly Idea: { readonly text: string } }) => {
      tries += 1;
      if (tries === 1) throw new Error("burnt");
      return Pizza({ name: text });
    };
    expect(await cook([again], { bake })).toMatchObject({ status: "success", pizzas: ["truffle"] });
    tries = 0;
    const kind = component("kind", { error: () => new Error("try again later") });
    expect(await cook([kind], { bake })).toMatchObject({
      status: "error",
      error: { name: "Error", message: "try again later" },
    });
  });

  it("drafts of agents and of external publishes", async () => {
    const sign = component("sign", {
      publish: (draft: Draft, { producedBy }: DraftOrigin) =>
        draft.artifactType.parse({ text: producedBy, name: `by ${producedBy}` }) as Draft,
    });
    await using flock = new Flock({ components: [sign] });
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .run(({ Idea: { text } }) => Pizza({ name: text }));
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Idea)).toEqual([{ text: "external" }]);
    expect(await flock.store.getByType(Pizza)).toEqual([{ name: "by chef" }]);
  });
});

describe("a hook that throws", () => {
  const fail = () => {
    throw new Error("oops");
  };

  it.for<[keyof AgentComponent]>([["schedule"], ["consume"], ["evaluate"], ["usage"], ["publish"]])(
    "%s: fails the run and names the component",
    async ([hook]) => {
      const { status, error, pizzas } = await cook([component("shaky", { [hook]: fail })], {
        bake: (_, context) => {
          context.addUsage({ tokens: 1 });
          return Pizza({ name: "x" });
        },
      });
      expect({ status, error, pizzas }).toMatchObject({
        status: "error",
        error: { name: "component_failed", message: `Component \`shaky\` failed in \`${hook}\`: oops` },
        pizzas: [],
      });
    },
  );

  it("error: replaces the reported error", async () => {
    const { error } = await cook([component("shaky", { error: fail })], { bake: fail });
    expect(error?.message).toBe("Component `shaky` failed in `error`: oops");
  });

  it("published: has no effect", async () => {
    expect(await cook([component("shaky", { published: fail })])).toMatchObject({
      status: "success",
      pizzas: ["truffle"],
    });
  });

  it("publish of an external draft: rejects and publishes nothing", async () => {
    await using flock = new Flock({ components: [component("shaky", { publish: fail })] });
    await expect(flock.publish(Idea({ text: "x" }))).rejects.toMatchObject({ code: "component_failed" });
    expect(await flock.store.getByType(Idea)).toEqual([]);
  });

  it.for<[string, Partial<AgentComponent>, string]>([
    [
      "an invalid delay",
      { schedule: () => Number.NaN },
      "`schedule`: the delay must be a finite number ≥ 0, not `NaN`",
    ],
    [
      "an infinite delay",
      { schedule: () => Number.POSITIVE_INFINITY },
      "`schedule`: the delay must be a finite number ≥ 0, not `Infinity`",
    ],
    ["other artifacts", { consume: () => [] }, "`consume`: it returned nothing instead of Idea"],
    ["no drafts", { evaluate: async () => undefined as never }, "`evaluate`: it returned no list of drafts"],
    ["another type", { publish: () => Idea({ text: "x" }) }, "`publish`: it returned `Idea` instead of `Pizza`"],
  ])("fails the run when it returns %s", async ([, hooks, message]) => {
    const { status, error } = await cook([component("odd", hooks)]);
    expect({ status, name: error?.name }).toEqual({ status: "error", name: "component_failed" });
    expect(error?.message).toContain(`Component \`odd\` failed in ${message}`);
  });

  it("does not change errors of the agent's function", async () => {
    const { error } = await cook([component("calm", { evaluate: (_run: RunContext, next: Next) => next() })], {
      bake: () => {
        throw new TypeError("burnt");
      },
    });
    expect(error).toMatchObject({ name: "TypeError", message: "burnt" });
  });
});

it("rejects values that are not components", () => {
  expect(() => new Flock().agent("chef").use({ name: "x" } as AgentComponent)).toThrow(
    /`use` of agent `chef`: 0: must be a component/,
  );
  expect(() => new Flock({ components: [1 as never] })).toThrow(/must be a component/);
});
