import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  type EventOf,
  emptyState,
  type FlockEvent,
  graphOf,
  type Principal,
  reduceAll,
  type VisibilityRequest,
} from "@flock-ts/protocol";
import * as fc from "fast-check";
import {
  artifact,
  Flock,
  type FlockServer,
  memoryStore,
  type RunContext,
  type Store,
  type StoredArtifact,
  visibility,
} from "flock-ts";
import {
  AgentsServerComponent,
  ArtifactsComponent,
  ControlRoutesComponent,
  HealthAndMetricsComponent,
  WebSocketServerComponent,
} from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { type FakeClock, fakeClock } from "flock-ts/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { EventStreamClient } from "../support/event-stream.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingSocket } from "../support/recording-socket.ts";

const Note = artifact("Note", z.object({ secret: z.string() }));
const Memo = artifact("Memo", z.object({ secret: z.string() }));
const Echo = artifact("Echo", z.object({ secret: z.string() }));
/** Number of random worlds; use `RUNS=100 npm test -- e2e/visibility` for more. */
const RUNS = Number(process.env.RUNS ?? 8);
/** Names that only the tenant may see. */
const Hush = artifact("Hush", z.object({ secret: z.string() }));
const TYPES = { Note, Memo };

/** All principals, by their token in `Authorization`. */
const PRINCIPALS = {
  owner: { kind: "owner" },
  stranger: { kind: "client", name: "stranger" },
  red: { kind: "client", name: "red", labels: ["red"] },
  both: { kind: "client", name: "both", labels: ["blue", "red"], tenant: "acme" },
  acme: { kind: "client", name: "acme", tenant: "acme", labels: [] },
  keeper: { kind: "client", name: "keeper", agents: ["open", "joiner"] },
} as const satisfies Record<string, Principal>;
type Who = keyof typeof PRINCIPALS;
const EVERYBODY = Object.keys(PRINCIPALS) as Who[];

/** The agents in the model. */
const CLEARANCES = {
  open: {},
  reader: { labels: ["red"] },
  joiner: { labels: ["blue"], tenant: "acme" },
  thrower: { labels: ["blue", "red"], tenant: "acme" },
} as const;
const AGENTS = Object.keys(CLEARANCES) as (keyof typeof CLEARANCES)[];

/** The trivial model: who may see an artifact, by its current visibility. */
function mayModelSee(principal: Principal, visibility: StoredArtifact["visibility"]): boolean {
  if (principal.kind === "owner") return true;
  const labels: readonly string[] = principal.labels ?? [];
  const agents: readonly string[] = principal.kind === "agent" ? [principal.name] : (principal.agents ?? []);
  switch (visibility.kind) {
    case "public":
      return true;
    case "private":
      return agents.some((agent) => visibility.agents.includes(agent));
    case "labelled":
      return visibility.required_labels.filter((label) => !labels.includes(label)).length === 0;
    case "tenant":
      return principal.tenant !== undefined && principal.tenant === visibility.tenant_id;
    case "after":
      return false;
  }
}

const secret = () => `<${randomUUID()}>`;
const secretOf = ({ payload }: StoredArtifact) => (payload as { secret: string }).secret;

/** What a tenant's agents emit. */
const DESCRIPTIONS = { joiner: secret(), thrower: secret() };

/** A flock whose agents leak all they can: they stream it, throw it, and publish it under another name. */
async function gossips(store: Store, clock: FakeClock): Promise<Flock> {
  const flock = await Flock.open({ store, clock });
  flock.register(Note, Memo);
  const checked = (agent: keyof typeof CLEARANCES, artifacts: readonly StoredArtifact[]) => {
    for (const { visibility } of artifacts)
      if (!mayModelSee({ kind: "agent", name: agent, ...CLEARANCES[agent] }, visibility))
        throw new Error(`FORBIDDEN: ${agent} was given what it may not see: ${JSON.stringify(visibility)}`);
    return artifacts.map(secretOf).join();
  };
  /** Streams the ids of the runs that consumed some artifacts. */
  const streamConsumers = async ({ store, stream }: RunContext, artifacts: readonly StoredArtifact[]) => {
    const consumptions = await store.consumptionsOf(artifacts.map(({ id }) => id));
    stream([...consumptions.values()].flatMap((all) => all.map(({ runId }) => runId)).join());
  };
  flock
    .agent("open")
    .consumes(Note)
    .publishes(Echo)
    .run(async function* (_, context) {
      await streamConsumers(context, context.artifacts);
      yield checked("open", context.artifacts);
      return Echo({ secret: secret() });
    });
  flock
    .agent("reader")
    .labels("red")
    .consumes(Note)
    .publishes(Echo, { visibility: { kind: "labelled", required_labels: ["red"] } })
    .run(async (_, context) => {
      await streamConsumers(context, context.artifacts);
      context.stream(checked("reader", context.artifacts));
      const { artifacts } = await context.store.query({ limit: 3, types: ["Note", "Memo"] });
      context.stream(checked("reader", artifacts));
      return Echo({ secret: secret() });
    });
  flock
    .agent("joiner")
    .description(DESCRIPTIONS.joiner)
    .labels("blue")
    .tenant("acme")
    .consumes(Note, Memo)
    .publishes(Hush)
    .publishes(Echo, { visibility: () => visibility.after(60, visibility.privateTo("open")) })
    .run(async (_, context) => {
      await streamConsumers(context, context.artifacts);
      context.stream(checked("joiner", context.artifacts));
      return Echo({ secret: secret() });
    });
  flock
    .agent("thrower")
    .description(DESCRIPTIONS.thrower)
    .labels("red", "blue")
    .tenant("acme")
    .consumes(Memo)
    .publishes(Echo, { visibility: { kind: "tenant", tenant_id: "acme" } })
    .run(async (_, context) => {
      // Another run may have consumed a public artifact together with a secret, so its id is a secret, too.
      const { artifacts } = await context.store.query({ limit: 3, types: ["Memo"] });
      await streamConsumers(context, artifacts);
      const found = await context.store.getByType(Note);
      throw new Error(`${checked("thrower", context.artifacts)} ${found.map(({ secret: known }) => known).join()}`);
    });
  return flock;
}

/** A flock behind a server with authentication. */
async function serve(flock: Flock): Promise<FlockServer> {
  return flock.serve({
    port: 0,
    principal: ({ headers }) => PRINCIPALS[headers.authorization as Who],
    components: [
      new WebSocketServerComponent(),
      new ControlRoutesComponent(),
      new AgentsServerComponent(),
      new ArtifactsComponent(),
      new HealthAndMetricsComponent(),
    ],
  });
}

const subset = <T>(...all: T[]) => fc.subarray(all);
const lasting = fc.oneof(
  fc.constant({ kind: "public" as const }),
  subset("open", "reader", "joiner", "unknown").map((agents) => ({ kind: "private" as const, agents })),
  fc
    .subarray(["red", "blue"], { minLength: 1 })
    .map((required_labels) => ({ kind: "labelled" as const, required_labels })),
  fc.constantFrom("acme", "umbrella").map((tenant_id) => ({ kind: "tenant" as const, tenant_id })),
);
const wanted: fc.Arbitrary<VisibilityRequest> = fc.oneof(
  { weight: 4, arbitrary: lasting },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 300 }), lasting).map(([ms, then]) => visibility.after(ms, then)),
  },
);
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constantFrom("Note" as const, "Memo" as const),
        visibility: wanted,
        correlationId: fc.constantFrom("flow-one", "flow-two", "flow-three"),
        by: fc.constantFrom(...EVERYBODY),
        idempotency_key: fc.option(fc.constantFrom("k1", "k2"), { nil: undefined, freq: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 150 }) },
  ),
  { minLength: 1, maxLength: 14 },
);

/** A restricted run consumes a public artifact, which random scripts seldom produce. */
const secretConsumer: typeof steps extends fc.Arbitrary<infer S> ? S : never = (
  [
    ["Memo", { kind: "public" }],
    ["Note", { kind: "labelled", required_labels: ["blue"] }],
    ["Memo", { kind: "public" }],
  ] as const
).map(([type, visibility]) => {
  const about = { correlationId: "flow-one", by: "owner", idempotency_key: undefined } as const;
  return { type, visibility: visibility as VisibilityRequest, ...about };
});

/** A tenant's agent is visible to that tenant. */
function knowsAgent(who: Who, agent: string): boolean {
  const principal: Principal = PRINCIPALS[who];
  const { tenant } = CLEARANCES[agent as keyof typeof CLEARANCES] as { tenant?: string };
  return principal.kind === "owner" || tenant === undefined || tenant === principal.tenant;
}

/** Everything that exists, and what a principal may see of it. */
class Truth {
  readonly artifacts: readonly StoredArtifact[];
  readonly events: readonly FlockEvent[];
  readonly #byId: ReadonlyMap<string, StoredArtifact>;

  constructor(artifacts: readonly StoredArtifact[], events: readonly FlockEvent[]) {
    this.artifacts = artifacts;
    this.events = events;
    this.#byId = new Map(artifacts.map((one) => [one.id, one]));
  }

  seenBy(who: Who): StoredArtifact[] {
    return this.artifacts.filter(({ visibility }) => mayModelSee(PRINCIPALS[who], visibility));
  }

  /** Runs whose inputs a principal may see completely. */
  runsSeenBy(who: Who): EventOf<"agent_execution_started">[] {
    return this.runs.filter(
      ({ agent_id, consumed_artifacts }) =>
        knowsAgent(who, agent_id) &&
        consumed_artifacts.every((id) =>
          mayModelSee(PRINCIPALS[who], (this.#byId.get(id) as StoredArtifact).visibility),
        ),
    );
  }

  get runs(): EventOf<"agent_execution_started">[] {
    return this.events.filter((event) => event.type === "agent_execution_started");
  }

  /** Words that a principal must not receive. */
  forbidden(who: Who): string[] {
    const seen = this.seenBy(who);
    const runs = this.runsSeenBy(who);
    const runIds = new Set([...runs.map(({ run_id }) => run_id), ...seen.map(({ runId }) => runId)]);
    const flows = new Set([...runs.map((run) => run.correlation_id), ...seen.map((one) => one.correlationId)]);
    return [
      "FORBIDDEN",
      ...(knowsAgent(who, "joiner") ? [] : [...Object.values(DESCRIPTIONS), Hush.typeName]),
      ...this.artifacts.filter((one) => !seen.includes(one)).flatMap((one) => [one.id, secretOf(one)]),
      ...this.runs.map(({ run_id }) => run_id).filter((id) => !runIds.has(id)),
      ...this.artifacts.map(({ correlationId }) => correlationId).filter((id) => !flows.has(id)),
    ];
  }
}

function expectNothingForbidden(truth: Truth, who: Who, door: string, text: string): void {
  for (const word of truth.forbidden(who))
    if (text.includes(word)) expect.fail(`${who} read ${word} at ${door}: ${text}`);
}

/** Reads every endpoint as one principal. */
async function lookThrough(url: string, truth: Truth, who: Who, onFile: boolean): Promise<void> {
  const ask = async (path: string, expected = [200]) => {
    const response = await fetch(url + path, { headers: { authorization: who } });
    const text = await response.text();
    if (!expected.includes(response.status)) expect.fail(`${who} got ${response.status} at ${path}: ${text}`);
    // Errors repeat what the client itself put into the URL.
    if (response.ok) expectNothingForbidden(truth, who, path, text);
    return { status: response.status, body: response.ok ? JSON.parse(text) : undefined };
  };
  const seen = truth.seenBy(who);
  const runs = truth.runsSeenBy(who);
  const ids = (artifacts: readonly { id: string }[]) => artifacts.map(({ id }) => id).sort();

  // Artifacts: all pages, totals, filters, single artifacts.
  const found: { id: string; consumptions: { run_id: string }[] }[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await ask(`/api/v1/plugin/artifacts?limit=3&embed_consumptions=true${cursor}`);
    expect(body.total).toBe(seen.length);
    found.push(...body.artifacts);
    if (body.next_cursor === null) break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  expect(ids(found)).toEqual(ids(seen));
  for (const { id, consumptions } of found) {
    const consumers = runs.filter(({ consumed_artifacts }) => consumed_artifacts.includes(id));
    expect(consumptions.map(({ run_id }) => run_id).sort()).toEqual(consumers.map(({ run_id }) => run_id).sort());
  }
  for (const query of ["visibility=private", "visibility=after,labelled", "type_names=Note", "produced_by=external"])
    await ask(`/api/v1/plugin/artifacts?${query}`);
  for (const { id } of truth.artifacts) {
    const { status } = await ask(`/api/v1/plugin/artifacts/${id}?embed_consumptions=1`, [200, 404]);
    expect(status).toBe(seen.some((one) => one.id === id) ? 200 : 404);
  }

  const types = (await ask("/api/plugin/artifact_types")).body.artifact_types as { name: string }[];
  expect(types.some(({ name }) => name === "Hush")).toBe(knowsAgent(who, "joiner"));

  // Counts: the graph, the agents, their histories, the workflows.
  const published = (agent: string) => seen.filter(({ producedBy }) => producedBy === agent).length;
  const graph = (await ask("/api/plugin/graph")).body;
  const agents = (await ask("/api/v1/plugin/agents")).body.agents as { name: string; counters: object }[];
  for (const agent of AGENTS.filter((one) => !knowsAgent(who, one))) {
    expect(agents.map(({ name }) => name)).not.toContain(agent);
    await ask(`/api/v1/plugin/agents/${agent}/history-summary`, [404]);
  }
  const known = AGENTS.filter((agent) => knowsAgent(who, agent));
  expect(graph.nodes.map(({ id }: { id: string }) => id)).toEqual(["external", ...known]);
  const told = graph.edges.flatMap(({ source, target }: { source: string; target: string }) => [source, target]);
  expect(["external", ...known]).toEqual(expect.arrayContaining(told));
  for (const agent of known) {
    const started = runs.filter(({ agent_id }) => agent_id === agent);
    const consumed = started.flatMap(({ consumed_artifacts }) => consumed_artifacts).length;
    const counters = { started: started.length, running: 0, consumed, published: published(agent) };
    expect(agents.find(({ name }) => name === agent)).toMatchObject({ counters });
    expect(graph.nodes.find(({ id }: { id: string }) => id === agent)).toMatchObject({ counters });
    const history = (await ask(`/api/v1/plugin/agents/${agent}/history-summary`)).body;
    expect(history).toMatchObject({ counters });
    expect(history.produced.Echo ?? 0).toBe(published(agent));
    expect((history.consumed.Note ?? 0) + (history.consumed.Memo ?? 0)).toBe(consumed);
  }
  for (const flow of new Set(truth.artifacts.map(({ correlationId }) => correlationId))) {
    const { status, body } = await ask(`/api/v1/plugin/correlations/${flow}/status`, [200, 404]);
    const inFlow = seen.filter(({ correlationId }) => correlationId === flow).length;
    const runsInFlow = runs.filter(({ correlation_id }) => correlation_id === flow).length;
    expect(status).toBe(inFlow + runsInFlow > 0 ? 200 : 404);
    if (status === 200) expect(body).toMatchObject({ artifact_count: inFlow, run_count: runsInFlow });
  }
  if (who !== "owner") for (const path of ["/metrics", "/plugin/connections"]) await ask(path, [403]);

  // The log: page by page, and with filters for what is hidden.
  const events: FlockEvent[] = [];
  for (let after = 0; ; ) {
    const { body } = await ask(`/plugin/events?after=${after}&limit=7`);
    events.push(...body.events);
    after = body.next;
    if (after === body.head) break;
  }
  const announced = events.flatMap((event) => (event.type === "artifact_published" ? [event.artifact_id] : []));
  expect([...new Set(announced)].sort()).toEqual(ids(seen));
  const begun = events.flatMap((event) => (event.type === "agent_execution_started" ? [event.run_id] : []));
  expect(begun.sort()).toEqual(runs.map(({ run_id }) => run_id).sort());
  if (who !== "owner") expect(announced.length).toBe(ids(seen).length);
  for (const { run_id } of truth.runs.slice(0, 3)) {
    const { body } = await ask(`/plugin/events?run_id=${run_id}`);
    if (!runs.some((run) => run.run_id === run_id))
      expect(body.events.filter(({ type }: FlockEvent) => type !== "artifact_published")).toEqual([]);
  }

  // The same over a WebSocket and Server-Sent Events, from the start and from near the end.
  for (const query of [
    "?since=0",
    "?since=-4",
    "?since=0&types=streaming_output,gate_progress",
    "?since=0&agents=thrower",
  ]) {
    await using socket = await RecordingSocket.open(`${url.replace("http", "ws")}/plugin/ws${query}`, {
      headers: { authorization: who },
    });
    await socket.next("caught_up");
    // The response only reveals that something may be hidden.
    const hello = socket.messages.find(({ type }) => type === "hello");
    expect(hello).toMatchObject({ type: "hello", head: truth.events.at(-1)?.seq ?? 0 });
    expect((hello as { limited?: boolean }).limited).toBe(who === "owner" ? undefined : true);
    socket.send({ id: 1, type: "graph" });
    expect(await socket.next("reply")).toMatchObject({ ok: true, result: { nodes: graph.nodes } });
    expectNothingForbidden(truth, who, `the WebSocket ${query}`, socket.texts.join("\n"));
    if (query === "?since=0") {
      const received = socket.messages.filter((one) => "seq" in one && "timestamp" in one) as FlockEvent[];
      expect(received.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq));
      // What a client folds itself equals what the server returns.
      const folded = graphOf(reduceAll(emptyState(), received));
      expect(inOrder(folded)).toEqual(inOrder(graph));
    }
  }
  await using stream = await EventStreamClient.open(`${url}/plugin/events?since=0`, { authorization: who });
  await stream.until(() => stream.messages.some(({ type }) => type === "caught_up"), "an end");
  expectNothingForbidden(truth, who, "Server-Sent Events", JSON.stringify(stream.blocks));
  expect(stream.seqs).toEqual(events.map(({ seq }) => seq));
  expect(onFile || events.length > 0).toBe(true);
}

/** A graph without fields that depend on the order of events. */
function inOrder(graph: object): unknown {
  return JSON.parse(JSON.stringify(graph, (name, value) => (["seq", "duration_ms"].includes(name) ? 0 : value)));
}

/** Everything, as the owner sees it. */
async function truthOf(flock: Flock, url: string): Promise<Truth> {
  const { artifacts } = await flock.store.query({ limit: 1_000 });
  const events: FlockEvent[] = [];
  for (let after = 0; ; ) {
    const page = await fetch(`${url}/plugin/events?after=${after}&limit=1000`, { headers: { authorization: "owner" } });
    const body = (await page.json()) as { events: FlockEvent[]; next: number; head: number };
    events.push(...body.events);
    after = body.next;
    if (after === body.head) break;
  }
  return new Truth(artifacts, events);
}

/** Waits until a socket has received all events. */
async function caughtUp(socket: RecordingSocket, head: number): Promise<void> {
  socket.send({ id: head, type: "subscribe", since: head });
  await socket.next("caught_up", ({ seq }) => seq >= head);
}

async function play(
  script: typeof steps extends fc.Arbitrary<infer S> ? S : never,
  open: () => Promise<Flock>,
  clock: FakeClock,
  onFile: boolean,
  between = () => {},
): Promise<void> {
  let flock = await open();
  try {
    let server = await serve(flock);
    const live = new Map<Who, RecordingSocket>();
    const watchers = new Map<Who, RecordingSocket>();
    for (const who of EVERYBODY) {
      const socket = await RecordingSocket.open(`${server.url.replace("http", "ws")}/plugin/ws`, {
        headers: { authorization: who },
      });
      await socket.next("hello");
      live.set(who, socket);
      // Clients that follow one workflow use another index than the others.
      const watching = await RecordingSocket.open(
        `${server.url.replace("http", "ws")}/plugin/ws?correlation_id=flow-one`,
        { headers: { authorization: who } },
      );
      await watching.next("hello");
      watchers.set(who, watching);
    }
    /** What each principal has published under its keys. */
    const under = new Map<string, { readonly id: string; readonly type: string; readonly payload: object }>();
    const checkLive = async () => {
      await flock.runUntilIdle();
      const truth = await truthOf(flock, server.url);
      for (const [who, socket] of [...live, ...watchers]) {
        if (socket === live.get(who)) await caughtUp(socket, flock.log.head);
        else await socket.settle();
        expectNothingForbidden(truth, who, "the live WebSocket", socket.texts.join("\n"));
      }
      return truth;
    };
    for (const step of script) {
      if (typeof step === "number") {
        await checkLive();
        await clock.advance(step);
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const { type, visibility, correlationId, by, idempotency_key } = step;
      const before = under.get(`${by} ${idempotency_key}`);
      const payload = before?.type === type ? before.payload : { secret: secret() };
      const response = await fetch(`${server.url}/api/plugin/publish`, {
        method: "POST",
        headers: { authorization: by, "content-type": "application/json" },
        body: JSON.stringify({
          artifact_type: TYPES[type].typeName,
          payload,
          visibility,
          correlation_id: correlationId,
          idempotency_key,
        }),
      });
      const text = await response.text();
      if (before && before.type !== type) {
        // The publisher may not see what it has published.
        expect(response.status, text).toBe(409);
        expect(text).not.toContain(JSON.stringify(before.payload));
        continue;
      }
      expect(response.status, text).toBe(200);
      await flock.runUntilIdle();
      expectNothingForbidden(
        await truthOf(flock, server.url),
        by,
        "its own publish",
        // A publisher may see the id and workflow of the artifact that it published.
        JSON.stringify(JSON.parse(text).triggered_agents),
      );
      if (idempotency_key !== undefined) {
        // A key returns each principal's own result, never another one's.
        const { artifact_id } = JSON.parse(text);
        if (before) expect(artifact_id).toBe(before.id);
        else expect([...under.values()].map(({ id }) => id)).not.toContain(artifact_id);
        under.set(`${by} ${idempotency_key}`, { id: artifact_id, type, payload });
      }
    }
    const truth = await checkLive();
    for (const who of EVERYBODY) await lookThrough(server.url, truth, who, onFile);
    await Promise.all([...live.values(), ...watchers.values()].map((socket) => socket[Symbol.asyncDispose]()));
    if (!onFile) return;

    // Another process with the same file: what came due in between happens at its start.
    await flock.shutdown();
    await clock.advance(200);
    between();
    flock = await open();
    server = await serve(flock);
    await clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
    await flock.runUntilIdle();
    const later = await truthOf(flock, server.url);
    const due = later.artifacts.filter(
      ({ visibility }) => visibility.kind === "after" && Date.parse(visibility.at) <= clock.now(),
    );
    expect(due).toEqual([]);
    for (const who of EVERYBODY) await lookThrough(server.url, later, who, onFile);
  } finally {
    await flock.shutdown();
  }
}

describe("no principal receives what it may not see, over any endpoint", () => {
  it("with everything in memory", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const clock = fakeClock();
        await play(script, () => gossips(memoryStore(), clock), clock, false);
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 40_000, examples: [[secretConsumer]] },
    );
  });

  it("with a file, before and after a restart", async () => {
    await using folder = await temporaryFolder();
    let files = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const clock = fakeClock();
        const path = join(folder.path, `${++files}.db`);
        // Every other process recounts from the log, as after a crash.
        const forget = () => {
          const db = new DatabaseSync(path);
          db.exec("DELETE FROM snapshot");
          db.close();
        };
        await play(script, () => gossips(sqliteStore(path), clock), clock, true, files % 2 === 0 ? forget : undefined);
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 40_000, examples: [[secretConsumer]] },
    );
  });
});
