import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import {
  artifact,
  Flock,
  GroupRefused,
  type GroupRefusedPayload,
  JoinExpired,
  type JoinExpiredPayload,
  memoryStore,
  RunFailed,
  type RunFailedPayload,
  type Store,
  visibility,
} from "../../index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";

const Order = artifact("Order", z.object({ id: z.string() }));
const Payment = artifact("Payment", z.object({ id: z.string() }));
const Alert = artifact("Alert", z.object({ text: z.string() }));

const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());
let files = 0;
const newFile = () => `${folder.path}/${++files}.db`;

/** Lets what a clock has set off happen, and be written. */
const turns = async () => {
  for (let i = 0; i < 8; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

const stored = async (flock: Flock, type: string) => (await flock.store.query({ types: [type] })).artifacts;

/** An agent that fails for each order. */
function failingOn(flock: Flock) {
  return flock.agent("cashier").consumes(Order);
}

function fail(): never {
  throw new Error("out of paper");
}

describe.each<[string, () => Store]>([
  ["in memory", () => memoryStore()],
  ["in a file", () => sqliteStore(newFile())],
])("RunFailed, %s", (_, store) => {
  it("wakes agents when work has failed permanently, after its retries, in the same workflow", async () => {
    const clock = fakeClock();
    await using flock = await Flock.open({ store: store(), clock });
    const heard: RunFailedPayload[] = [];
    failingOn(flock).retry({ attempts: 2, delay: 10 }).run(fail);
    flock
      .agent("alert")
      .consumes(RunFailed)
      .run(({ RunFailed }) => void heard.push(RunFailed));
    const { artifactId, correlationId } = await flock.publish(Order({ id: "a" }));
    await turns();
    expect(heard).toEqual([]);
    await clock.advance(100);
    await flock.runUntilIdle();
    const [letter] = await flock.deadLetters();
    expect(heard).toEqual([
      {
        agent: "cashier",
        run_id: letter?.runId,
        activation_id: letter?.id,
        status: "error",
        error: { name: "Error", message: "out of paper" },
        attempts: 2,
        input_ids: [artifactId],
      },
    ]);
    const [report] = await stored(flock, "RunFailed");
    expect(report).toMatchObject({ producedBy: "cashier", runId: letter?.runId, correlationId });
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "failed", error_count: 1 });
  });

  it("does not report itself: agents that fail on a report wake no other", async () => {
    await using flock = await Flock.open({ store: store() });
    failingOn(flock).run(fail);
    for (const name of ["first", "second"]) flock.agent(name).consumes(RunFailed).preventSelfTrigger(false).run(fail);
    await flock.publish(Order({ id: "a" }));
    await flock.runUntilIdle();
    expect(await stored(flock, "RunFailed")).toHaveLength(1);
    expect(flock.stats().runs.error).toBe(3);
  });
});

describe("RunFailed", () => {
  it("is not published when nothing consumes it", async () => {
    await using flock = new Flock();
    failingOn(flock).run(fail);
    await flock.publish(Order({ id: "a" }));
    await flock.runUntilIdle();
    expect(await stored(flock, "RunFailed")).toEqual([]);
  });

  it("reports timeouts and work that is retried as a dead letter, but no cancelled runs", async () => {
    await using flock = new Flock();
    const statuses: string[] = [];
    const started = Promise.withResolvers<void>();
    failingOn(flock)
      .timeout(5)
      .run(() => new Promise<void>(() => {}));
    flock
      .agent("patient")
      .consumes(Payment)
      .run(() => {
        started.resolve();
        return new Promise<void>(() => {});
      });
    flock
      .agent("alert")
      .consumes(RunFailed)
      .run(({ RunFailed: { status, attempts } }) => void statuses.push(`${status} ${attempts}`));
    await flock.publish(Order({ id: "a" }));
    const { correlationId } = await flock.publish(Payment({ id: "a" }));
    await started.promise;
    await flock.cancel({ correlationId });
    await flock.runUntilIdle();
    const [letter] = await flock.deadLetters();
    await (await flock.retryDeadLetter(letter?.id ?? "")).done;
    await flock.runUntilIdle();
    expect(statuses).toEqual(["timeout 1", "timeout 2"]);
  });

  it("does not come again for an agent whose failure follows from its own report", async () => {
    await using flock = new Flock();
    const heard: string[] = [];
    failingOn(flock).run(fail);
    flock
      .agent("alert")
      .consumes(RunFailed)
      .publishes(Alert)
      .run(({ RunFailed: { agent } }) => {
        heard.push(agent);
        return Alert({ text: agent });
      });
    flock
      .agent("translator")
      .consumes(Alert)
      .publishes(Payment)
      .run(({ Alert: { text } }) => Payment({ id: text }));
    flock.agent("mailer").consumes(Payment).run(fail);
    await flock.publish(Order({ id: "a" }));
    await flock.runUntilIdle();
    expect(heard).toEqual(["cashier", "mailer"]);
    // Other work of the same agents is reported as before.
    await flock.publish(Payment({ id: "b" }));
    await flock.runUntilIdle();
    expect(heard).toEqual(["cashier", "mailer", "mailer"]);
  });

  it("is visible to principals that may see the run", async () => {
    await using flock = new Flock();
    const heard: string[] = [];
    failingOn(flock).labels("finance").run(fail);
    flock
      .agent("cleared")
      .labels("finance")
      .consumes(RunFailed)
      .run(() => void heard.push("cleared"));
    flock
      .agent("other")
      .consumes(RunFailed)
      .run(() => void heard.push("other"));
    await flock.publish(Order({ id: "a" }), { visibility: visibility.labelled("finance") });
    await flock.runUntilIdle();
    expect(heard).toEqual(["cleared"]);
    expect((await stored(flock, "RunFailed"))[0]?.visibility).toEqual(visibility.labelled("finance"));
  });

  it("is committed with the end of the run: a restart finds the work that it triggered", async () => {
    const file = newFile();
    const heard: string[] = [];
    const open = async () => {
      const flock = await Flock.open({ store: sqliteStore(file) });
      failingOn(flock).run(fail);
      flock
        .agent("alert")
        .consumes(RunFailed)
        .run(({ RunFailed: { agent } }) => void heard.push(agent));
      return flock;
    };
    const first = await open();
    await first.pause("alert");
    await first.publish(Order({ id: "a" }));
    await first.runUntilIdle();
    expect(heard).toEqual([]);
    await first.shutdown();
    const second = await open();
    await second.resume("alert");
    await second.runUntilIdle();
    expect(heard).toEqual(["cashier"]);
    await second.shutdown();
  });
});

const byId = { by: ({ payload }: { readonly payload: { readonly id: string } }) => payload.id, within: 1_000 };

describe.each<[string, () => Store]>([
  ["in memory", () => memoryStore()],
  ["in a file", () => sqliteStore(newFile())],
])("JoinExpired, %s", (_, store) => {
  it("wakes agents when a join's window passes, with what arrived and what is missing", async () => {
    const clock = fakeClock();
    await using flock = await Flock.open({ store: store(), clock });
    const heard: JoinExpiredPayload[] = [];
    flock
      .agent("matcher")
      .consumes(Order, Order, Payment, { join: byId })
      .consumes(JoinExpired, { where: ({ payload }) => payload.agent === "matcher" })
      .run(({ JoinExpired }) => void (JoinExpired && heard.push(JoinExpired)));
    const { artifactId, correlationId } = await flock.publish(Order({ id: "a" }));
    await clock.advance(500);
    const later = await flock.publish(Order({ id: "a" }));
    await flock.publish(Order({ id: "b" }));
    await clock.advance(500);
    await flock.runUntilIdle();
    expect(heard).toEqual([
      {
        agent: "matcher",
        gate: "0",
        key: "a",
        artifact_ids: [artifactId],
        waiting_ids: [later.artifactId],
        missing: { Payment: 1 },
      },
    ]);
    expect((await stored(flock, "JoinExpired"))[0]).toMatchObject({ producedBy: "external", correlationId });
    await clock.advance(500);
    await flock.runUntilIdle();
    expect(heard.slice(1)).toMatchObject([
      { key: "a", artifact_ids: [later.artifactId], waiting_ids: [], missing: { Order: 1, Payment: 1 } },
      { key: "b" },
    ]);
  });
});

describe("JoinExpired", () => {
  it("is not published when nothing consumes it", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: byId })
      .run(() => {});
    await flock.publish(Order({ id: "a" }));
    await clock.advance(2_000);
    await flock.runUntilIdle();
    expect(await stored(flock, "JoinExpired")).toEqual([]);
  });

  it("does not report itself", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: byId })
      .run(() => {});
    flock
      .agent("collector")
      .consumes(JoinExpired, Payment, { join: { by: "correlation", within: 10 } })
      .run(() => {});
    await flock.publish(Order({ id: "a" }));
    for (let i = 0; i < 5; i++) {
      await clock.advance(1_000);
      await flock.runUntilIdle();
    }
    expect(await stored(flock, "JoinExpired")).toHaveLength(1);
  });

  it("comes for a window that passed while no process was running", async () => {
    const file = newFile();
    const clock = fakeClock();
    const heard: (string | undefined)[] = [];
    const open = async () => {
      const flock = await Flock.open({ store: sqliteStore(file), clock });
      // Declared before the agent whose gate expires, and with a gate that has to be restored, too.
      flock
        .agent("reminder")
        .consumes(JoinExpired, Payment, { join: { by: "correlation" } })
        .run(({ JoinExpired: { key } }) => void heard.push(key));
      flock
        .agent("matcher")
        .consumes(Order, Payment, { join: byId })
        .run(() => {});
      return flock;
    };
    const first = await open();
    const { correlationId } = await first.publish(Order({ id: "a" }));
    await first.shutdown();
    await clock.advance(5_000);
    const second = await open();
    await second.runUntilIdle();
    expect(await stored(second, "JoinExpired")).toHaveLength(1);
    await second.publish(Payment({ id: "b" }), { correlationId });
    await second.runUntilIdle();
    expect(heard).toEqual(["a"]);
    await second.shutdown();
    const third = await open();
    await third.runUntilIdle();
    expect(await stored(third, "JoinExpired")).toHaveLength(1);
    await third.shutdown();
  });

  it("is visible to principals that may see all of the artifacts", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    const heard: string[] = [];
    flock
      .agent("matcher")
      .labels("finance")
      .consumes(Order, Payment, { join: byId })
      .run(() => {});
    for (const [name, ...labels] of [["cleared", "finance"], ["other"]] as const)
      flock
        .agent(name)
        .labels(...labels)
        .consumes(JoinExpired)
        .run(() => void heard.push(name));
    await flock.publish(Order({ id: "a" }), { visibility: visibility.labelled("finance") });
    await clock.advance(2_000);
    await flock.runUntilIdle();
    expect(heard).toEqual(["cleared"]);
  });

  it("is reported once although its first commit fails", async () => {
    const clock = fakeClock();
    const store = memoryStore();
    let isFailing = false;
    const flaky: Store = {
      open: async (options) => {
        const session = await store.open(options);
        const commit = session.commit.bind(session);
        session.commit = (groups) => (isFailing ? Promise.reject(new Error("disk full")) : commit(groups));
        return session;
      },
    };
    await using flock = await Flock.open({ store: flaky, clock });
    const heard: string[] = [];
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: byId })
      .run(() => {});
    flock
      .agent("reminder")
      .consumes(JoinExpired)
      .run(({ JoinExpired: { key = "" } }) => void heard.push(key));
    await flock.publish(Order({ id: "a" }));
    isFailing = true;
    await clock.advance(1_000);
    await turns();
    expect(heard).toEqual([]);
    isFailing = false;
    await clock.advance(1_000);
    await flock.runUntilIdle();
    expect(heard).toEqual(["a"]);
    expect(await stored(flock, "JoinExpired")).toHaveLength(1);
  });
});

describe("GroupRefused", () => {
  it("wakes agents when whereGroup rejects a group", async () => {
    await using flock = new Flock();
    const heard: GroupRefusedPayload[] = [];
    flock
      .agent("matcher")
      .consumes(Order, Payment, { whereGroup: ({ Order, Payment }) => Order.id === Payment.id })
      .run(() => {});
    flock
      .agent("arbiter")
      .consumes(GroupRefused)
      .publishes(Alert)
      .run(({ GroupRefused }) => {
        heard.push(GroupRefused);
        return Alert({ text: "no match" });
      });
    const order = await flock.publish(Order({ id: "a" }));
    const payment = await flock.publish(Payment({ id: "b" }), { correlationId: order.correlationId });
    await flock.runUntilIdle();
    expect(heard).toEqual([{ agent: "matcher", gate: "0", artifact_ids: [order.artifactId, payment.artifactId] }]);
    expect((await stored(flock, "Alert"))[0]?.correlationId).toBe(order.correlationId);
  });
});
