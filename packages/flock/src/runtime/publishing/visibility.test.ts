import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FlockEvent, OWNER } from "@flock-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock, type Principal, visibility } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { intercept } from "../../store/contract.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import type { Store } from "../../store/store.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";

const Note = artifact("Note", z.object({ text: z.string() }));
const Memo = artifact("Memo", z.object({ text: z.string() }));
const Echo = artifact("Echo", z.object({ text: z.string() }));

const stranger: Principal = { kind: "client", name: "stranger" };
const red: Principal = { kind: "client", name: "red", labels: ["red"] };
const note = (text: string) => Note({ text });

/** Returns every event that a principal may see. */
async function eventsOf(flock: Flock, as?: Principal): Promise<FlockEvent[]> {
  const { head } = flock.log;
  const { frames } = await flock.log.read(0, head, as && { as }, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)].map((text) => JSON.parse(text));
}

const only = <T extends FlockEvent["type"]>(events: FlockEvent[], type: T) =>
  events.filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);

/** Waits for everything that a clock has triggered. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("agent", () => {
  it("is triggered only by artifacts that it may see", async () => {
    await using flock = new Flock();
    const woken: string[] = [];
    const listen = (name: string) => flock.agent(name).consumes(Note);
    listen("plain").run(({ Note: { text } }) => void woken.push(`plain ${text}`));
    listen("cleared")
      .labels("red", "blue")
      .tenant("acme")
      .run(({ Note: { text } }) => void woken.push(`cleared ${text}`));
    await flock.publish(note("public"));
    await flock.publish(note("red"), { visibility: visibility.labelled("red") });
    await flock.publish(note("green"), { visibility: visibility.labelled("red", "green") });
    await flock.publish(note("acme"), { visibility: visibility.tenant("acme") });
    await flock.publish(note("umbrella"), { visibility: visibility.tenant("umbrella") });
    await flock.publish(note("private"), { visibility: visibility.privateTo("plain") });
    await flock.publish(note("hidden"), { visibility: visibility.privateTo() });
    await flock.runUntilIdle();
    expect(woken.sort()).toEqual(["cleared acme", "cleared public", "cleared red", "plain private", "plain public"]);
  });

  it("reads and counts only artifacts that it may see", async () => {
    await using flock = new Flock();
    const read: unknown[] = [];
    flock
      .agent("reader")
      .consumes(Memo)
      .run(async (_, { store }) => {
        const { artifacts } = await store.query({ types: ["Note"] });
        const { total } = await store.query({ types: ["Note"], limit: 1 });
        read.push(artifacts.length, total, (await store.getByType(Note)).length, await store.get(hidden.artifactId));
        read.push((await store.consumptionsOf([hidden.artifactId])).get(hidden.artifactId));
      });
    await flock.publish(note("shown"));
    const hidden = await flock.publish(note("hidden"), { visibility: visibility.labelled("red") });
    await flock.publish(Memo({ text: "go" }));
    await flock.runUntilIdle();
    expect(read).toEqual([1, 1, 1, undefined, []]);
  });

  it("cannot be invoked with artifacts that it may not see", async () => {
    await using flock = new Flock();
    flock
      .agent("reader")
      .consumes(Note)
      .run(() => {});
    const invoking = flock.invoke("reader", [note("secret")], { visibility: visibility.labelled("red") });
    await expect(invoking).rejects.toMatchObject({ code: "invalid_request", message: /may not see its inputs/ });
    expect((await flock.store.query()).total).toBe(0);
  });

  it("requires labels and tenants that are not empty", () => {
    const agent = new Flock().agent("a");
    expect(() => agent.labels("")).toThrow(/`labels` of agent `a`/);
    expect(() => agent.tenant("")).toThrow(/`tenant` of agent `a`/);
  });
});

describe("output of a run", () => {
  it("is visible to principals that may see everything it consumes, reads and may publish", async () => {
    await using flock = new Flock();
    flock
      .agent("reader")
      .labels("red")
      .consumes(Note)
      .publishes(Echo, { visibility: visibility.labelled("red") })
      .run(async (_, { stream }) => {
        stream("out");
        return Echo({ text: "echo" });
      });
    await flock.publish(note("public"));
    await flock.runUntilIdle();
    const seen = await eventsOf(flock, stranger);
    expect(only(seen, "agent_execution_started")).toHaveLength(1);
    expect(only(seen, "agent_execution_completed")).toMatchObject([{ status: "success", produced_artifacts: [] }]);
    expect(only(seen, "streaming_output")).toEqual([]);
    expect(only(await eventsOf(flock, red), "streaming_output")).toHaveLength(2);
    expect(flock.graph(red).nodes).toContainEqual(
      expect.objectContaining({ id: "reader", counters: expect.objectContaining({ published: 1 }) }),
    );
  });

  it("is restricted by later reads, and its error is hidden from events but not from the program", async () => {
    await using flock = new Flock();
    flock
      .agent("reader")
      .labels("red")
      .consumes(Memo)
      .run(async (_, { store, stream }) => {
        stream("before ");
        const [secret] = await store.getByType(Note);
        stream("after");
        throw new Error(`knows ${secret?.text}`);
      });
    await flock.publish(note("the secret"), { visibility: visibility.labelled("red") });
    const { done } = await flock.invoke("reader", [Memo({ text: "go" })]);
    expect((await done).error).toMatchObject({ name: "Error", message: "knows the secret" });
    const pieces = (as?: Principal) =>
      eventsOf(flock, as).then((events) => only(events, "streaming_output").map(({ content }) => content));
    expect(await pieces(stranger)).toEqual(["before "]);
    expect(await pieces(red)).toEqual(["before ", "after", ""]);
    expect(only(await eventsOf(flock), "agent_execution_completed")).toMatchObject([{ error: { name: "hidden" } }]);
  });
});

describe("scheduled publish", () => {
  const folder = () => mkdtempSync(join(tmpdir(), "flock-visibility-"));
  let path: string;
  let directory: string;
  beforeEach(() => {
    directory = folder();
    path = join(directory, "flock.db");
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const listening = async (clock: FakeClock, store: Store = sqliteStore(path)) => {
    const flock = await Flock.open({ clock, store });
    const woken: string[] = [];
    flock
      .agent("reader")
      .labels("red")
      .consumes(Note)
      .run(({ Note: { text } }) => void woken.push(text));
    return { flock, woken };
  };

  it("is visible to the owner only until its time, then announced again, exact to the millisecond", async () => {
    const clock = fakeClock();
    const { flock, woken } = await listening(clock);
    await using _ = flock;
    const { artifactId } = await flock.publish(note("later"), {
      visibility: visibility.after(1_000, visibility.labelled("red")),
    });
    await clock.advance(999);
    await turn();
    await flock.runUntilIdle();
    expect(woken).toEqual([]);
    expect(await flock.store.as(red).get(artifactId)).toBeUndefined();
    await clock.advance(1);
    await turn();
    await flock.runUntilIdle();
    expect(woken).toEqual(["later"]);
    expect(await flock.store.as(red).get(artifactId)).toMatchObject({ visibility: visibility.labelled("red") });
    expect(await flock.store.as(stranger).get(artifactId)).toBeUndefined();
    expect(only(await eventsOf(flock), "artifact_published")).toMatchObject([
      { artifact_id: artifactId, visibility: { kind: "after" } },
      { artifact_id: artifactId, visibility: { kind: "labelled" }, revealed: true, payload: { text: "later" } },
    ]);
    expect(only(await eventsOf(flock, red), "artifact_published")).toMatchObject([{ revealed: true }]);
    await clock.advance(10_000);
    await turn();
    expect(only(await eventsOf(flock), "artifact_published")).toHaveLength(2);
  });

  it("happens at the next start if its time passed in between", async () => {
    const clock = fakeClock();
    const first = (await listening(clock)).flock;
    await first.publish(note("soon"), { visibility: visibility.after(1_000) });
    await first.publish(note("later"), { visibility: visibility.after(60_000) });
    await first.shutdown();
    await clock.advance(5_000);
    const { flock, woken } = await listening(clock);
    await using _ = flock;
    await flock.runUntilIdle();
    await clock.advance(0);
    await turn();
    await flock.runUntilIdle();
    expect(woken).toEqual(["soon"]);
    await clock.advance(55_000);
    await turn();
    await flock.runUntilIdle();
    expect(woken).toEqual(["soon", "later"]);
    expect(await flock.store.query({ visibility: ["after"] })).toMatchObject({ total: 0 });
  });

  it("is retried when it could not be written", async () => {
    const clock = fakeClock();
    let isFull = false;
    const store = intercept(sqliteStore(path), () => {
      if (isFull) throw new Error("the disk is full");
    });
    const { flock, woken } = await listening(clock, store);
    await using _ = flock;
    await flock.publish(note("later"), { visibility: visibility.after(1_000) });
    isFull = true;
    await clock.advance(1_000);
    await turn();
    await turn();
    isFull = false;
    expect(woken).toEqual([]);
    await clock.advance(1_000);
    await turn();
    await flock.runUntilIdle();
    expect(woken).toEqual(["later"]);
  });

  it("is immediate when its time has already passed", async () => {
    await using flock = new Flock();
    const { artifact: stored } = await flock.publish(note("old"), { visibility: visibility.after(new Date(0)) });
    expect(stored.visibility).toEqual({ kind: "public" });
    expect(only(await eventsOf(flock, stranger), "artifact_published")).toHaveLength(1);
  });
});

describe("gate", () => {
  it("reports progress to principals that may see all its artifacts", async () => {
    await using flock = new Flock();
    flock
      .agent("joiner")
      .labels("red", "blue")
      .consumes(Note, Note, Memo)
      .run(() => {});
    await flock.publish(note("public"));
    await flock.publish(note("red"), { visibility: visibility.labelled("red") });
    await flock.publish(Memo({ text: "blue" }), { visibility: visibility.labelled("blue") });
    await flock.runUntilIdle();
    const reportsFor = async (as: Principal) =>
      only(await eventsOf(flock, as), "gate_progress").map(({ collected }) => collected);
    expect(await reportsFor(stranger)).toEqual([{ Note: 1, Memo: 0 }]);
    expect(await reportsFor(red)).toEqual([
      { Note: 1, Memo: 0 },
      { Note: 2, Memo: 0 },
    ]);
    expect(await reportsFor({ ...red, labels: ["red", "blue"] })).toHaveLength(3);
    expect(only(await eventsOf(flock, red), "agent_execution_started")).toEqual([]);
  });

  it("reports its content to the owner only", async () => {
    await using flock = new Flock();
    flock
      .agent("joiner")
      .consumes(Note, Memo)
      .run(() => {});
    await flock.publish(note("public"));
    expect(flock.agents()[0]?.subscriptions[0]?.waiting).toMatchObject({ artifacts: 1 });
    expect(flock.agents(stranger)[0]?.subscriptions[0]?.waiting).toBeUndefined();
  });

  it("of an agent with fewer labels after a restart: drops hidden artifacts and refuses their runs", async () => {
    const directory = mkdtempSync(join(tmpdir(), "flock-visibility-"));
    const open = async (...labels: string[]) => {
      const flock = await Flock.open({ store: sqliteStore(join(directory, "flock.db")) });
      const seen: string[] = [];
      const agent = flock
        .agent("joiner")
        .labels(...labels)
        .consumes(Note, Memo)
        .consumes(Echo);
      agent.run(async ({ Note: one, Echo: echo }, { signal }) => {
        seen.push((one ?? echo)?.text as string);
        if (labels.length > 0) await new Promise((_, reject) => signal.addEventListener("abort", reject));
      });
      return { flock, seen };
    };
    const first = await open("red");
    await first.flock.publish(note("secret"), { visibility: visibility.labelled("red") });
    await first.flock.publish(Echo({ text: "interrupted" }), { visibility: visibility.labelled("red") });
    await first.flock.shutdown();
    const { flock, seen } = await open();
    await flock.publish(Memo({ text: "public" }));
    await flock.publish(note("public"));
    await flock.runUntilIdle();
    expect(seen).toEqual(["public"]);
    const ended = only(await eventsOf(flock), "agent_execution_completed");
    expect(ended.map(({ error }) => error?.name)).toContain("NotClearedError");
    await flock.shutdown();
    rmSync(directory, { recursive: true });
  });
});

describe("commands", () => {
  it("cancel only runs that the principal may see", async () => {
    await using flock = new Flock();
    flock
      .agent("sleeper")
      .labels("red")
      .consumes(Note)
      .run((_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", reject)));
    const about = { correlationId: "c", visibility: visibility.labelled("red") };
    const { runId } = await flock.invoke("sleeper", [note("red")], about);
    expect(await flock.cancel({ runId }, stranger)).toMatchObject({ cancelled: 0 });
    expect(await flock.cancel({ correlationId: "c" }, stranger)).toMatchObject({ cancelled: 0 });
    expect(await flock.cancel({ correlationId: "c" }, red)).toMatchObject({ cancelled: 1 });
  });

  it("return each principal's own results for an idempotency key, and only visible agents", async () => {
    await using flock = new Flock();
    flock
      .agent("joiner")
      .labels("red")
      .consumes(Note, Memo)
      .run(() => {});
    flock.register(Note);
    await flock.publish(Memo({ text: "red" }), { visibility: visibility.labelled("red") });
    const request = { artifact_type: "Note", payload: { text: "n" }, idempotency_key: "k" };
    const first = await flock.wire.publish(request, stranger);
    expect(first.result.triggered_agents).toEqual([]);
    const others = [red, { ...stranger, name: "other" }, { ...stranger, tenant: "t" }, OWNER] as const;
    for (const other of others)
      expect((await flock.wire.publish(request, other)).result.artifact_id).not.toBe(first.result.artifact_id);
    expect(await flock.wire.publish(request, stranger)).toEqual(first);
  });

  it("reject an invalid visibility", async () => {
    await using flock = new Flock();
    await expect(flock.publish(note("n"), { visibility: { kind: "secret" } as never })).rejects.toMatchObject({
      code: "invalid_options",
    });
  });
});

describe("agent of a tenant", () => {
  const acme: Principal = { kind: "client", name: "anna", tenant: "acme" };
  const umbrella: Principal = { kind: "client", name: "albert", tenant: "umbrella" };
  const Secret = artifact("Secret", z.object({ text: z.string() }));

  const declared = () => {
    const flock = new Flock();
    flock
      .agent("plain")
      .consumes(Note)
      .run(() => {});
    flock
      .agent("theirs")
      .tenant("acme")
      .consumes(Note)
      .publishes(Echo)
      .publishes(Secret, { visibility: visibility.public })
      .run(() => [Echo({ text: "echo" }), Secret({ text: "let out" })]);
    flock
      .agent("others")
      .tenant("umbrella")
      .consumes(Note)
      .run(() => {});
    return flock;
  };

  it("is visible to its tenant and the owner in every listing", async () => {
    await using flock = declared();
    await flock.publish(note("public"));
    await flock.runUntilIdle();
    const agentsFor = async (as?: Principal) => {
      const events = await eventsOf(flock, as);
      const graph = only(events, "graph_updated")
        .at(-1)
        ?.nodes.map(({ id }) => id);
      const listings = [
        graph?.filter((id) => id !== "external"),
        flock.graph(as).nodes.flatMap(({ id }) => (id === "external" ? [] : [id])),
        flock.agents(as).map(({ name }) => name),
        only(events, "agent_registered").map(({ agent_id }) => agent_id),
        only(events, "agent_execution_started").map(({ agent_id }) => agent_id),
      ];
      for (const one of listings) expect(one?.toSorted()).toEqual(listings[0]?.toSorted());
      return listings[0]?.toSorted();
    };
    expect(await agentsFor()).toEqual(["others", "plain", "theirs"]);
    expect(await agentsFor(acme)).toEqual(["plain", "theirs"]);
    expect(await agentsFor(umbrella)).toEqual(["others", "plain"]);
    expect(await agentsFor(stranger)).toEqual(["plain"]);
    expect(await flock.historyOf("theirs", stranger)).toBeUndefined();
    expect(await flock.historyOf("theirs", acme)).toMatchObject({ produced: { Echo: 1, Secret: 1 } });
  });

  it("publishes to its tenant by default", async () => {
    await using flock = declared();
    await flock.publish(note("public"));
    await flock.runUntilIdle();
    const typesSeenBy = async (as: Principal) =>
      (await flock.store.as(as).query({ producedBy: ["theirs"] })).artifacts.map(({ type }) => type).sort();
    expect(await typesSeenBy(acme)).toEqual(["Echo", "Secret"]);
    expect(await typesSeenBy(umbrella)).toEqual(["Secret"]);
  });

  it("is hidden from commands of others, like the types that only it names", async () => {
    await using flock = declared();
    const invoke = { agent_id: "theirs", inputs: [{ artifact_type: "Note", payload: { text: "n" } }] };
    await expect(flock.wire.invoke(invoke, stranger)).rejects.toMatchObject({
      code: "unknown_agent",
      message: expect.not.stringContaining("theirs,"),
    });
    await flock.wire.invoke(invoke, acme);
    const publish = { artifact_type: "Secret", payload: { text: "s" } };
    await expect(flock.wire.publish(publish, stranger)).rejects.toMatchObject({ code: "unknown_artifact_type" });
    await flock.wire.publish(publish, acme);
    expect(flock.typesSeenBy(stranger).map(({ typeName }) => typeName)).toEqual(["Note"]);
  });

  it("adds no event to a flock without tenants", async () => {
    await using flock = new Flock();
    flock
      .agent("plain")
      .labels("red")
      .consumes(Note)
      .run(() => {});
    await flock.publish(note("public"));
    await flock.runUntilIdle();
    expect(only(await eventsOf(flock), "graph_updated")).toHaveLength(1);
  });
});
