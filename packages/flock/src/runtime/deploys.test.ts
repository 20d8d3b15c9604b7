import { join } from "node:path";
import { Writable } from "node:stream";
import type { FlockEvent } from "@flock-ts/protocol";
import pino from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../tests/support/folder.ts";
import { artifact, Flock, OWNER } from "../index.ts";
import { textsOf } from "../log/frame.ts";
import { DeadLettersComponent } from "../server/components/index.ts";
import { sqliteStore } from "../store/sqlite/index.ts";

const Order = artifact("Order", z.object({ id: z.string(), customer: z.string() }));
const Payment = artifact("Payment", z.object({ order: z.string(), customer: z.string() }));
const Note = artifact("Note", z.object({ text: z.string() }));

const order = (id: string, customer = "ann") => Order({ id, customer });
const payment = (id: string, customer = "ann") => Payment({ order: id, customer });

interface Line {
  readonly msg: string;
  readonly agent?: string;
  readonly reasons?: string[];
  readonly artifacts?: number;
}

/** Processes that follow each other on one file. Each `deploy` ends the one before and declares the agents of the next. */
async function deployments() {
  const folder = await temporaryFolder();
  let current: Flock | undefined;
  let lines: Line[] = [];
  const end = async () => {
    await current?.shutdown();
    current = undefined;
  };
  onTestFinished(async () => {
    await end();
    await folder[Symbol.asyncDispose]();
  });
  const deploy = async (declare: (flock: Flock) => void, isIdle = true): Promise<Flock> => {
    await end();
    lines = [];
    const stream = new Writable({
      write(line, _encoding, done) {
        lines.push(JSON.parse(String(line)));
        done();
      },
    });
    current = await Flock.open({
      store: sqliteStore(join(folder.path, "flock.db")),
      logger: pino({ level: "warn" }, stream),
    });
    declare(current);
    if (isIdle) await current.runUntilIdle();
    return current;
  };
  return { deploy, logged: () => lines };
}

async function eventsOf(flock: Flock): Promise<FlockEvent[]> {
  const { frames } = await flock.log.read(0, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)].map((text): FlockEvent => JSON.parse(text));
}

describe("a deploy that removes or renames an agent with work queued", () => {
  async function withQueuedWork() {
    const { deploy, logged } = await deployments();
    const before = await deploy((flock) => {
      flock
        .agent("packer")
        .consumes(Order)
        .run(() => {});
    });
    await before.pause("packer");
    const { correlationId } = await before.publish(order("a"), { correlationId: "w" });
    await before.publish(order("b"), { correlationId: "v" });
    return { deploy, logged, correlationId };
  }

  it("lists it as orphaned, counts it, and logs it at the start", async () => {
    const { deploy, logged } = await withQueuedWork();
    const flock = await deploy(() => {});
    const { runs, artifacts } = await flock.orphans();
    expect(runs).toMatchObject([
      { agentId: "packer", correlationId: "w", attempt: 1, artifacts: [{ payload: { id: "a" } }] },
      { agentId: "packer", correlationId: "v" },
    ]);
    expect(artifacts).toEqual([]);
    expect(flock.stats().orphans).toEqual({ runs: 2, artifacts: 0 });
    expect(logged()).toMatchObject([{ agent: "packer", runs: 2, msg: expect.stringMatching(/undeclared agent/) }]);
  });

  it("cancels it by run, by workflow or by agent", async () => {
    const { deploy } = await withQueuedWork();
    const flock = await deploy(() => {});
    expect(await flock.correlation("w")).toMatchObject({ state: "active" });
    expect(await flock.cancel({ correlationId: "w" })).toMatchObject({ cancelled: 1 });
    expect(await flock.correlation("w")).toMatchObject({ state: "completed", has_pending_work: false });
    const { runs } = await flock.orphans();
    expect(runs).toHaveLength(1);
    expect(await flock.dropOrphans({ agentId: "packer" })).toMatchObject({ runs: 1, artifacts: 0 });
    const completed = (await eventsOf(flock)).filter(({ type }) => type === "agent_execution_completed");
    expect(completed).toMatchObject([
      { agent_id: "packer", status: "cancelled" },
      { agent_id: "packer", status: "cancelled" },
    ]);
    const again = await deploy(() => {});
    expect(await again.orphans()).toEqual({ runs: [], artifacts: [] });
  });

  it("cancels what an earlier process left, also as the first thing that the next one does", async () => {
    const { deploy } = await deployments();
    const declare = (flock: Flock) =>
      void flock
        .agent("packer")
        .consumes(Order)
        .retry({ attempts: 2, delay: 600_000 })
        .run(() => {
          throw new Error("no box");
        });
    const before = await deploy(declare);
    const { correlationId } = await before.publish(order("a"));
    await vi.waitFor(() => expect(before.stats().runs).toMatchObject({ error: 1, queued: 1 }));
    const flock = await deploy(declare, false);
    expect(await flock.cancel({ correlationId })).toMatchObject({ cancelled: 1 });
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "completed" });
  });

  it("gives it to the agent that was renamed from the old one, with the pause", async () => {
    const { deploy } = await withQueuedWork();
    const seen: string[] = [];
    const flock = await deploy((declared) => {
      declared
        .agent("shipper")
        .renamedFrom("packer")
        .consumes(Order)
        .run(({ Order: { id } }) => void seen.push(id));
    });
    expect(seen).toEqual([]);
    expect(await flock.resume("shipper")).toMatchObject({ agents: ["shipper"] });
    await flock.runUntilIdle();
    expect(seen).toEqual(["a", "b"]);
    expect(await flock.orphans()).toEqual({ runs: [], artifacts: [] });
  });

  it("moves it to another agent on request", async () => {
    const { deploy } = await withQueuedWork();
    const seen: string[] = [];
    const flock = await deploy((declared) => {
      declared
        .agent("other")
        .consumes(Order)
        .run(({ Order: { id } }) => void seen.push(id));
    });
    expect(await flock.moveOrphans({ correlationId: "v" }, "other")).toMatchObject({ runs: 1, artifacts: 0 });
    await flock.runUntilIdle();
    expect(seen).toEqual(["b"]);
    await expect(flock.moveOrphans({ agentId: "packer" }, "unknown")).rejects.toMatchObject({ code: "unknown_agent" });
    await expect(flock.dropOrphans({})).rejects.toThrow(/the selector is empty/);
  });

  it("retries a dead letter of the old name as the new one", async () => {
    const { deploy } = await deployments();
    const before = await deploy((flock) => {
      flock
        .agent("packer")
        .consumes(Order)
        .run(() => {
          throw new Error("no");
        });
    });
    await before.publish(order("a"));
    await before.runUntilIdle();
    const flock = await deploy((declared) => {
      declared
        .agent("shipper")
        .renamedFrom("packer")
        .consumes(Order)
        .run(() => {});
    });
    const [letter] = await flock.deadLetters();
    expect(await (await flock.retryDeadLetter(letter!.id)).done).toMatchObject({ status: "success" });
  });

  it("refuses two agents with one name of the past", () => {
    const flock = new Flock();
    const declare = (name: string, former: string) =>
      flock
        .agent(name)
        .renamedFrom(former)
        .consumes(Order)
        .run(() => {});
    declare("a", "old");
    expect(() => declare("b", "old")).toThrow(/`b` cannot be renamed from `old`: agent `a` was renamed from it, too/);
    expect(() => declare("c", "a")).toThrow(/`c` cannot be renamed from `a`: an agent has it/);
    expect(() => flock.agent("old")).toThrow(/Duplicate agent name `old`: agent `a` was renamed from it/);
  });
});

describe("a deploy that changes gates in which artifacts wait", () => {
  type Declare = (flock: Flock, seen: string[]) => void;
  const joined =
    (by: "id" | "customer"): Declare =>
    (flock, seen) =>
      flock
        .agent("matcher")
        .consumes(Order, Payment, {
          join: {
            by: ({ type, payload }) =>
              by === "customer" ? payload.customer : type === "Order" ? payload.id : payload.order,
          },
        })
        .run(({ Order: { id }, Payment: paid }) => void seen.push(`${id} ${paid.order}`));

  async function changed(
    before: Declare,
    after: Declare,
    publish: readonly ReturnType<typeof order | typeof payment>[],
  ) {
    const { deploy, logged } = await deployments();
    const seenBefore: string[] = [];
    const first = await deploy((flock) => before(flock, seenBefore));
    await first.publish(publish);
    await first.runUntilIdle();
    const seen: string[] = [];
    const flock = await deploy((declared) => after(declared, seen));
    return { flock, seen, seenBefore, logged, deploy };
  }

  it("computes join keys again", async () => {
    const { flock, seen } = await changed(joined("id"), joined("customer"), [
      order("a"),
      payment("b"),
      order("c", "bob"),
    ]);
    expect(seen).toEqual(["a b"]);
    await flock.publish(payment("x", "bob"));
    await flock.runUntilIdle();
    expect(seen).toEqual(["a b", "c x"]);
    expect(await flock.orphans()).toEqual({ runs: [], artifacts: [] });
  });

  it("finds a gate by what it collects when another alternative is declared before it", async () => {
    const after: Declare = (flock, seen) =>
      flock
        .agent("matcher")
        .consumes(Note, Note)
        .consumes(Order, Payment)
        .run((inputs) => void seen.push(Object.keys(inputs).join()));
    const before: Declare = (flock) =>
      flock
        .agent("matcher")
        .consumes(Order, Payment)
        .run(() => {});
    const { flock, seen } = await changed(before, after, [order("a")]);
    await flock.publish(payment("a"));
    await flock.runUntilIdle();
    expect(seen).toEqual(["Order,Payment"]);
  });

  it("triggers an agent whose gate now needs one artifact, for each one that waited", async () => {
    const before: Declare = (flock) =>
      flock
        .agent("matcher")
        .consumes(Order, { batch: { size: 10 } })
        .run(() => {});
    const after: Declare = (flock, seen) =>
      flock
        .agent("matcher")
        .consumes(Order)
        .run(({ Order: { id } }) => void seen.push(id));
    const { seen, deploy } = await changed(before, after, [order("a"), order("b")]);
    expect(seen).toEqual(["a", "b"]);
    const again: string[] = [];
    await deploy((flock) => after(flock, again));
    expect(again).toEqual([]);
  });

  it("puts what waited alone into a batch", async () => {
    const before: Declare = (flock) =>
      flock
        .agent("matcher")
        .consumes(Order, Payment)
        .run(() => {});
    const after: Declare = (flock, seen) =>
      flock
        .agent("matcher")
        .consumes(Order, { batch: { size: 2 } })
        .run(({ Order: orders }) => void seen.push(orders.map(({ id }) => id).join()));
    const { seen } = await changed(before, after, [order("a"), order("b"), order("c")]);
    expect(seen).toEqual(["a,b"]);
  });

  it("lists what fits no gate, with the reason, and logs it; it can be dropped or moved", async () => {
    const before: Declare = (flock) =>
      flock
        .agent("matcher")
        .consumes(Order, Payment)
        .run(() => {});
    const after: Declare = (flock, seen) => {
      flock
        .agent("matcher")
        .consumes(Note)
        .run(() => {});
      flock
        .agent("other")
        .consumes(Order)
        .run(({ Order: { id } }) => void seen.push(id));
    };
    const { flock, seen, logged, deploy } = await changed(before, after, [order("a"), order("b")]);
    const { artifacts } = await flock.orphans();
    expect(artifacts).toMatchObject([
      { agentId: "matcher", gate: "Order + Payment", artifact: { payload: { id: "a" } }, reason: "no_gate" },
      { agentId: "matcher", gate: "Order + Payment", artifact: { payload: { id: "b" } }, reason: "no_gate" },
    ]);
    expect(flock.stats().orphans).toEqual({ runs: 0, artifacts: 2 });
    expect(logged()).toMatchObject([{ agent: "matcher", artifacts: 2, reasons: ["no_gate"] }]);
    const [a, b] = artifacts.map(({ artifact: { id } }) => id);
    expect(await flock.moveOrphans({ artifactId: a }, "other")).toMatchObject({ runs: 0, artifacts: 1 });
    expect(await flock.dropOrphans({ artifactId: b })).toMatchObject({ runs: 0, artifacts: 1 });
    await flock.runUntilIdle();
    expect(seen).toEqual(["a"]);
    expect(await flock.orphans()).toEqual({ runs: [], artifacts: [] });
    const again = await deploy((declared) => after(declared, []));
    expect(await again.orphans()).toEqual({ runs: [], artifacts: [] });
  });

  it("lists what waits for an agent that is not declared, until one is renamed from it", async () => {
    const before: Declare = (flock) =>
      flock
        .agent("matcher")
        .consumes(Order, Payment)
        .run(() => {});
    const { flock, deploy } = await changed(before, () => {}, [order("a")]);
    expect((await flock.orphans()).artifacts).toMatchObject([{ agentId: "matcher", reason: "unknown_agent" }]);
    const seen: string[] = [];
    const again = await deploy((declared) =>
      declared
        .agent("joiner")
        .renamedFrom("matcher")
        .consumes(Order, Payment)
        .run(({ Order: { id } }) => void seen.push(id)),
    );
    await again.publish(payment("a"));
    await again.runUntilIdle();
    expect(seen).toEqual(["a"]);
  });

  it("lists what does not fit the schema of its type, and takes it up after an `upgrade`", async () => {
    const Strict = artifact("Order", z.object({ id: z.string(), customer: z.string(), city: z.string() }));
    const Upgraded = artifact("Order", Strict.schema, {
      upgrade: (old: { id: string; customer: string }) => ({ ...old, city: "Rome" }),
    });
    const { deploy } = await deployments();
    const first = await deploy((flock) => {
      flock
        .agent("matcher")
        .consumes(Order, Payment)
        .run(() => {});
    });
    await first.publish(order("a"));
    const declare = (type: typeof Strict, seen: unknown[]) => (flock: Flock) =>
      flock
        .agent("matcher")
        .consumes(type, Payment)
        .run(({ Order: one }) => void seen.push(one));
    const seen: unknown[] = [];
    const second = await deploy(declare(Strict, seen));
    expect((await second.orphans()).artifacts).toMatchObject([
      { reason: "invalid_payload", error: { message: expect.stringMatching(/Invalid payload of `Order`: city: /) } },
    ]);
    const third = await deploy(declare(Upgraded, seen));
    await third.publish(payment("a"));
    await third.runUntilIdle();
    expect(seen).toEqual([{ id: "a", customer: "ann", city: "Rome" }]);
  });
});

describe("orphaned work over HTTP", () => {
  it("is listed, moved and dropped by the owner, and hidden from others", async () => {
    const { deploy } = await deployments();
    const before = await deploy((flock) => {
      flock
        .agent("packer")
        .consumes(Order)
        .run(() => {});
      flock
        .agent("matcher")
        .consumes(Order, Payment)
        .run(() => {});
    });
    await before.pause("packer");
    const { artifactId } = await before.publish(order("a"), { correlationId: "w" });
    const seen: string[] = [];
    const flock = await deploy((declared) => {
      declared
        .agent("other")
        .consumes(Order)
        .run(({ Order: { id } }) => void seen.push(id));
    });
    const server = await flock.serve({
      port: 0,
      components: [new DeadLettersComponent()],
      principal: ({ headers }) => (headers["x-guest"] ? { kind: "client", name: "guest" } : OWNER),
    });
    const call = async (path: string, body?: object, headers: Record<string, string> = {}) => {
      const response = await fetch(`${server.url}/api/plugin/orphans${path}`, {
        headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) },
        ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, body: await response.json() };
    };
    expect((await call("", undefined, { "x-guest": "1" })).status).toBe(403);
    expect((await call("/drop", { agent_id: "packer" }, { "x-guest": "1" })).status).toBe(403);
    expect(await call("")).toEqual({
      status: 200,
      body: {
        runs: [
          { run_id: expect.any(String), agent_id: "packer", correlation_id: "w", attempt: 1, artifacts: [artifactId] },
        ],
        artifacts: [
          {
            artifact_id: artifactId,
            artifact_type: "Order",
            agent_id: "matcher",
            correlation_id: "w",
            gate: "Order + Payment",
            reason: "unknown_agent",
          },
        ],
        total: { runs: 1, artifacts: 1 },
      },
    });
    expect((await call("/drop", {})).status).toBe(400);
    expect((await call("/move", { agent_id: "packer", to: "unknown" })).status).toBe(404);
    expect((await call("/move", { agent_id: "packer", to: "other" })).body).toEqual({
      runs: 1,
      artifacts: 0,
      seq: expect.any(Number),
    });
    expect((await call("/drop", { artifact_id: artifactId })).body).toEqual({
      runs: 0,
      artifacts: 1,
      seq: expect.any(Number),
    });
    await flock.runUntilIdle();
    expect(seen).toEqual(["a"]);
    expect((await call("")).body).toEqual({ runs: [], artifacts: [], total: { runs: 0, artifacts: 0 } });
  });
});
