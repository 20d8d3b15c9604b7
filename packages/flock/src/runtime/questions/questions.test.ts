import type { FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { type AskOptions, artifact, Flock, type OpenFlockOptions, type Principal, visibility } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";

const Article = artifact("Article", z.object({ title: z.string() }));
const Approval = artifact("Approval", z.object({ ok: z.boolean() }));
const Outcome = artifact("Outcome", z.object({ title: z.string(), ok: z.boolean() }));

/** Lets what a clock has set off happen, and be written. */
const turns = async () => {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

async function eventsOf<T extends FlockEvent["type"]>(flock: Flock, type: T, as?: Principal) {
  const { frames } = await flock.log.read(0, flock.log.head, as && { as }, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)]
    .map((text): FlockEvent => JSON.parse(text))
    .filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);
}

/** A flock with an editor who asks before each article. */
async function newsroom(options: OpenFlockOptions = {}, asked: Partial<AskOptions<typeof Approval>> = {}) {
  const flock = await Flock.open(options);
  const attempts: number[] = [];
  const editor = flock.agent("editor").consumes(Article).publishes(Outcome).concurrency(1).timeout(1_000);
  editor.run(async ({ Article: { title } }, ctx) => {
    attempts.push(ctx.attempt);
    const { ok } = await ctx.askPerson(Approval, { question: `Publish ${title}?`, ...asked });
    return Outcome({ title, ok });
  });
  const outcomes = () => flock.store.getByType(Outcome);
  return { flock, attempts, outcomes };
}

describe("a run that asks a person", () => {
  it("puts the question on the blackboard, with the schema of the answer, and waits", async () => {
    const { flock, outcomes } = await newsroom();
    await using _ = flock;
    const { correlationId } = await flock.publish(Article({ title: "Truffles" }));
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([]);
    const [question] = flock.questions();
    expect(question).toMatchObject({
      type: "PersonQuestion",
      producedBy: "editor",
      correlationId,
      payload: {
        question: "Publish Truffles?",
        answer_type: "Approval",
        answer_schema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
        asked_by: "editor",
      },
    });
    expect(await flock.store.get(question!.id)).toEqual(question);
  });

  it("goes on with the answer, which is an artifact like any other", async () => {
    const { flock, outcomes } = await newsroom();
    await using _ = flock;
    const heard: boolean[] = [];
    flock
      .agent("archive")
      .consumes(Approval)
      .run(({ Approval: { ok } }) => void heard.push(ok));
    const { correlationId } = await flock.publish(Article({ title: "Truffles" }));
    await flock.runUntilIdle();
    const { artifact, triggeredAgents } = await flock.answer(flock.questions()[0]!.id, Approval({ ok: true }));
    expect(artifact).toMatchObject({ type: "Approval", producedBy: "external", correlationId });
    expect(triggeredAgents).toEqual(["archive"]);
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([{ title: "Truffles", ok: true }]);
    expect(heard).toEqual([true]);
    expect(flock.questions()).toEqual([]);
    expect(await eventsOf(flock, "question_closed")).toMatchObject([
      { status: "answered", answered_by: "owner", answer_id: artifact.id, agent_id: "editor" },
    ]);
  });

  it("is not woken by the answer to another, nor by an artifact of the type that answers nothing", async () => {
    const { flock, outcomes } = await newsroom();
    await using _ = flock;
    await flock.publish([Article({ title: "A" }), Article({ title: "B" })]);
    await flock.runUntilIdle();
    // One at a time may run, and both are there: who waits for a person has given its place away.
    const [a, b] = flock.questions();
    expect([a, b].map((question) => question?.payload.question)).toEqual(["Publish A?", "Publish B?"]);
    await flock.publish(Approval({ ok: true }));
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([]);
    await flock.answer(b!.id, Approval({ ok: false }));
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([{ title: "B", ok: false }]);
    expect(flock.questions().map(({ id }) => id)).toEqual([a!.id]);
  });

  it("is given one answer: a second one is refused, and told who and when", async () => {
    const clock = fakeClock();
    const { flock, outcomes } = await newsroom({ clock });
    await using _ = flock;
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    const { id } = flock.questions()[0]!;
    const kim: Principal = { kind: "client", name: "kim" };
    const answers = await Promise.allSettled([
      flock.answer(id, Approval({ ok: true }), kim),
      flock.answer(id, Approval({ ok: false })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(answers[1]).toMatchObject({
      reason: {
        code: "conflict",
        message: `Cannot answer question ${id}: it was answered by kim at 2026-01-01T00:00:00.000Z.`,
      },
    });
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([{ title: "A", ok: true }]);
    expect(await flock.store.getByType(Approval)).toHaveLength(1);
  });

  it("does not grow older while it waits", async () => {
    const clock = fakeClock();
    const { flock, outcomes } = await newsroom({ clock });
    await using _ = flock;
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    await clock.advance(3_600_000);
    await flock.answer(flock.questions()[0]!.id, Approval({ ok: true }));
    await flock.runUntilIdle();
    expect(await outcomes()).toHaveLength(1);
  });

  it("may ask several things at once, and waits for all of them", async () => {
    await using flock = new Flock();
    const got: unknown[] = [];
    flock
      .agent("editor")
      .consumes(Article)
      .run(async (_, ctx) => {
        const ask = (question: string) => ctx.askPerson(Approval, { question });
        got.push(await Promise.all([ask("Is it true?"), ask("Is it kind?")]));
      });
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    const [first, second] = flock.questions();
    await flock.answer(second!.id, Approval({ ok: false }));
    await flock.runUntilIdle();
    expect(got).toEqual([]);
    await flock.answer(first!.id, Approval({ ok: true }));
    await flock.runUntilIdle();
    expect(got).toEqual([[{ ok: true }, { ok: false }]]);
  });

  it("takes its question back when it is cancelled", async () => {
    const { flock } = await newsroom();
    await using _ = flock;
    const { correlationId } = await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    const { id } = flock.questions()[0]!;
    expect(await flock.cancel({ correlationId })).toMatchObject({ cancelled: 1 });
    expect(flock.questions()).toEqual([]);
    expect(await eventsOf(flock, "question_closed")).toMatchObject([{ question_id: id, status: "withdrawn" }]);
    await expect(flock.answer(id, Approval({ ok: true }))).rejects.toMatchObject({
      code: "conflict",
      message: /was withdrawn/,
    });
    // The place is free again, once.
    await flock.publish([Article({ title: "B" }), Article({ title: "C" })]);
    await flock.runUntilIdle();
    expect(flock.questions()).toHaveLength(2);
  });

  it("waits for its place when others have it", async () => {
    await using flock = new Flock();
    const order: string[] = [];
    const { promise: free, resolve: release } = Promise.withResolvers<void>();
    flock
      .agent("editor")
      .consumes(Article)
      .concurrency(1)
      .run(async ({ Article: { title } }, ctx) => {
        if (title === "asks") await ctx.askPerson(Approval, { question: "?" });
        if (title === "blocks") await free;
        order.push(title);
      });
    await flock.publish(Article({ title: "asks" }));
    await flock.runUntilIdle();
    await flock.publish([Article({ title: "blocks" }), Article({ title: "later" })]);
    await flock.answer(flock.questions()[0]!.id, Approval({ ok: true }));
    await turns();
    expect(order).toEqual([]);
    release();
    await flock.runUntilIdle();
    expect(order).toEqual(["blocks", "asks", "later"]);
  });
});

describe("a deadline", () => {
  it("makes the default the answer, on the blackboard too", async () => {
    const clock = fakeClock();
    const { flock, outcomes } = await newsroom({ clock }, { deadline: 60_000, default: Approval({ ok: false }) });
    await using _ = flock;
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    const question = flock.questions()[0]!;
    expect(question.payload).toMatchObject({ deadline: "2026-01-01T00:01:00.000Z", default: { ok: false } });
    await clock.advance(59_999);
    await turns();
    expect(await outcomes()).toEqual([]);
    await clock.advance(1);
    await turns();
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([{ title: "A", ok: false }]);
    const [closed] = await eventsOf(flock, "question_closed");
    expect(closed).toMatchObject({ status: "expired", question_id: question.id });
    expect(await flock.store.get(closed!.answer_id!)).toMatchObject({ producedBy: "editor", payload: { ok: false } });
    await expect(flock.answer(question.id, Approval({ ok: true }))).rejects.toMatchObject({ code: "conflict" });
  });

  it("without a default is an error of the run, which it can catch", async () => {
    const clock = fakeClock();
    const { flock } = await newsroom({ clock }, { deadline: 60_000 });
    await using _ = flock;
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    await clock.advance(60_000);
    await turns();
    await flock.runUntilIdle();
    expect(await eventsOf(flock, "agent_execution_completed")).toMatchObject([
      { status: "error", error: { name: "question_expired", message: /received no answer to .* by 2026-01-01T00:01/ } },
    ]);
  });

  it("is needed when there is a default", async () => {
    const { flock } = await newsroom({}, { default: Approval({ ok: false }) });
    await using _ = flock;
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    expect(await eventsOf(flock, "agent_execution_completed")).toMatchObject([
      { error: { name: "invalid_options", message: /deadline: say when the default counts/ } },
    ]);
  });
});

describe("who may see the run", () => {
  it("may see and answer its question, and no other principal knows of it", async () => {
    await using flock = new Flock();
    flock
      .agent("editor")
      .labels("red")
      .consumes(Article)
      .run(async (_, ctx) => void (await ctx.askPerson(Approval, { question: "Publish the secret?" })));
    await flock.publish(Article({ title: "A" }), { visibility: visibility.labelled("red") });
    await flock.runUntilIdle();
    const { id } = flock.questions()[0]!;
    const stranger: Principal = { kind: "client", name: "stranger" };
    const red: Principal = { kind: "client", name: "red", labels: ["red"] };
    expect(flock.questions(stranger)).toEqual([]);
    await expect(flock.answer(id, Approval({ ok: true }), stranger)).rejects.toMatchObject({ code: "not_found" });
    expect(flock.questions(red)).toHaveLength(1);
    const { artifact } = await flock.answer(id, Approval({ ok: true }), red);
    expect(artifact.visibility).toEqual({ kind: "labelled", required_labels: ["red"] });
    await flock.runUntilIdle();
    expect(await eventsOf(flock, "question_closed", stranger)).toEqual([]);
    expect(await eventsOf(flock, "question_closed", red)).toMatchObject([{ answered_by: "red" }]);
  });
});

describe("in a file", () => {
  it("an open question survives a restart, and is not asked again", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    const before = await newsroom({ store: sqliteStore(path) });
    await before.flock.publish(Article({ title: "A" }));
    await before.flock.runUntilIdle();
    const { id } = before.flock.questions()[0]!;
    await before.flock.shutdown();

    const { flock, outcomes, attempts } = await newsroom({ store: sqliteStore(path) });
    await using _ = flock;
    expect(flock.questions().map((question) => question.id)).toEqual([id]);
    await flock.runUntilIdle();
    expect(flock.questions().map((question) => question.id)).toEqual([id]);
    await flock.answer(id, Approval({ ok: true }));
    await flock.runUntilIdle();
    expect(attempts).toEqual([2]);
    expect(await outcomes()).toEqual([{ title: "A", ok: true }]);
    await expect(flock.answer(id, Approval({ ok: true }))).rejects.toMatchObject({ message: /was answered by owner/ });
  });

  it("an answer that came before the run got there again is there when it does", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    const before = await newsroom({ store: sqliteStore(path) });
    await before.flock.publish(Article({ title: "A" }));
    await before.flock.runUntilIdle();
    const { id } = before.flock.questions()[0]!;
    await before.flock.shutdown();

    // The agent is not there yet.
    const between = await Flock.open({ store: sqliteStore(path) });
    await between.answer(id, Approval({ ok: true }));
    expect(between.questions()).toEqual([]);
    await between.shutdown();

    const { flock, outcomes } = await newsroom({ store: sqliteStore(path) });
    await using _ = flock;
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([{ title: "A", ok: true }]);
    expect(await flock.store.query({ types: ["PersonQuestion"] })).toMatchObject({ total: 1 });
  });

  it("a deadline that passed while the process was down has the default count at once", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    const clock = fakeClock();
    const asked = { deadline: 60_000, default: Approval({ ok: false }) };
    const before = await newsroom({ store: sqliteStore(path), clock }, asked);
    await before.flock.publish(Article({ title: "A" }));
    await before.flock.runUntilIdle();
    await before.flock.shutdown();

    await clock.advance(3_600_000);
    const { flock, outcomes } = await newsroom({ store: sqliteStore(path), clock }, asked);
    await using _ = flock;
    expect(flock.questions()).toEqual([]);
    await flock.runUntilIdle();
    await clock.advance(0);
    await turns();
    await flock.runUntilIdle();
    expect(await outcomes()).toEqual([{ title: "A", ok: false }]);
  });

  it("a question in other words is another one, unless they have the same key", async () => {
    await using folder = await temporaryFolder();
    for (const [key, questions] of [
      [undefined, ["Publish A, second draft?"]],
      ["publish", ["Publish A, first draft?"]],
    ] as const) {
      const path = `${folder.path}/${key}.db`;
      const asked = (details: string) => ({ question: details, ...(key === undefined ? {} : { key }) });
      const before = await newsroom({ store: sqliteStore(path) }, asked("Publish A, first draft?"));
      await before.flock.publish(Article({ title: "A" }));
      await before.flock.runUntilIdle();
      await before.flock.shutdown();
      const { flock } = await newsroom({ store: sqliteStore(path) }, asked("Publish A, second draft?"));
      await using _ = flock;
      await flock.runUntilIdle();
      expect(flock.questions().map(({ payload }) => payload.question)).toEqual(questions);
    }
  });

  /** Asks for an approval of one schema, restarts with another, and returns the second process. */
  async function withChangedForm(path: string, key: string | undefined, isAnswered: boolean, after: z.ZodType) {
    const open = async (schema: z.ZodType) => {
      const Form = artifact("Form", schema);
      const answers: unknown[] = [];
      const flock = await Flock.open({ store: sqliteStore(path) });
      flock
        .agent("editor")
        .consumes(Article)
        .run(async (_inputs, ctx) => {
          answers.push(await ctx.askPerson(Form, { question: "Publish?", ...(key === undefined ? {} : { key }) }));
        });
      await flock.runUntilIdle();
      return { flock, Form, answers };
    };
    const before = await open(z.object({ ok: z.boolean() }));
    await before.flock.publish(Article({ title: "A" }));
    await before.flock.runUntilIdle();
    const { id } = before.flock.questions()[0]!;
    await before.flock.shutdown();
    if (isAnswered) {
      const between = await Flock.open({ store: sqliteStore(path) });
      await between.answer(id, artifact("Form", z.object({ ok: z.boolean() }))({ ok: true }));
      await between.shutdown();
    }
    return { id, ...(await open(after)) };
  }

  it.each([
    ["open", false, undefined],
    ["open, with a key", false, "k"],
    ["answered", true, undefined],
    ["answered, with a key", true, "k"],
  ])(
    "a question (%s) is asked again with the new form when its answer's schema has changed",
    async (_, isAnswered, key) => {
      await using folder = await temporaryFolder();
      const schema = z.object({ ok: z.boolean(), reason: z.string() });
      const { flock, Form, answers, id } = await withChangedForm(`${folder.path}/f.db`, key, isAnswered, schema);
      await using _flock = flock;
      const [question, ...others] = flock.questions();
      expect(others).toEqual([]);
      expect(question!.id).not.toBe(id);
      expect(question!.payload.answer_schema).toMatchObject({ required: ["ok", "reason"] });
      await expect(flock.answer(id, Form({ ok: true, reason: "x" }))).rejects.toMatchObject({ code: "conflict" });
      await flock.answer(question!.id, Form({ ok: true, reason: "x" }));
      await flock.runUntilIdle();
      expect(answers).toEqual([{ ok: true, reason: "x" }]);
    },
  );

  it("an answer of the old schema that fits the new one counts", async () => {
    await using folder = await temporaryFolder();
    const schema = z.object({ ok: z.boolean(), reason: z.string().default("none") });
    const { flock, answers } = await withChangedForm(`${folder.path}/f.db`, undefined, true, schema);
    await using _ = flock;
    expect(flock.questions()).toEqual([]);
    expect(answers).toEqual([{ ok: true, reason: "none" }]);
  });
});
