import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../index.ts";
import {
  AgentsServerComponent,
  ArtifactsComponent,
  ControlRoutesComponent,
  HealthAndMetricsComponent,
  ServerComponent,
  type ServerContext,
  WebSocketServerComponent,
} from "./components/index.ts";

/** A component that writes down what happens to it. */
class Recorder extends ServerComponent<{ priority: number }> {
  override readonly name: string;
  readonly #diary: string[];
  readonly #needs: readonly string[];

  constructor(name: string, priority: number, diary: string[], needs: readonly string[] = []) {
    super({ priority });
    this.name = name;
    this.#diary = diary;
    this.#needs = needs;
  }

  override getDependencies(): readonly string[] {
    return this.#needs;
  }
  override configure(): void {
    this.#diary.push(`${this.name} configures`);
  }
  override registerRoutes({ app }: ServerContext): void {
    this.#diary.push(`${this.name} registers`);
    app.get(`/${this.name}`, () => ({ from: this.name }));
  }
  override onStartup(): void {
    this.#diary.push(`${this.name} starts`);
  }
  override onShutdown(): void {
    this.#diary.push(`${this.name} ends`);
  }
}

const code = (expected: string) => expect.objectContaining({ name: "FlockError", code: expected });

describe("the steps of components", () => {
  it("run in order of priority, each for all components, and in reverse at the end", async () => {
    await using flock = new Flock();
    const diary: string[] = [];
    const components = [
      new Recorder("late", 60, diary),
      new Recorder("early", 2, diary),
      new Recorder("also", 60, diary),
    ];
    const server = await flock.serve({ components, port: 0 });
    expect(await (await fetch(`${server.url}/late`)).json()).toEqual({ from: "late" });
    await Promise.all([server.close(), server.close()]);
    const names = ["early", "late", "also"];
    expect(diary).toEqual([
      ...names.map((name) => `${name} configures`),
      ...names.map((name) => `${name} registers`),
      ...names.map((name) => `${name} starts`),
      ...names.toReversed().map((name) => `${name} ends`),
    ]);
  });

  it("stop the components already started if one fails, and the server does not listen", async () => {
    await using flock = new Flock();
    const diary: string[] = [];
    class Failing extends Recorder {
      override onStartup(): void {
        throw new Error("no database");
      }
    }
    const components = [new Recorder("first", 1, diary), new Failing("second", 2, diary)];
    await expect(flock.serve({ components, port: 0 })).rejects.toThrow("no database");
    expect(diary.filter((entry) => entry.endsWith("ends"))).toEqual(["second ends", "first ends"]);
  });

  it("report missing dependencies, duplicate names and invalid options", async () => {
    await using flock = new Flock();
    const lonely = new Recorder("lonely", 1, [], ["friend"]);
    await expect(flock.serve({ components: [lonely], port: 0 })).rejects.toMatchObject({
      code: "missing_dependency",
      message: expect.stringMatching(/"lonely" needs "friend"/),
    });
    const twice = [new Recorder("same", 1, []), new Recorder("same", 2, [])];
    await expect(flock.serve({ components: twice, port: 0 })).rejects.toEqual(code("duplicate_component"));
    await expect(flock.serve({ prot: 1 } as never)).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringMatching(/prot/),
    });
    await expect(flock.serve({ port: 70_000 })).rejects.toEqual(code("invalid_options"));
  });
});

describe("the address of a server", () => {
  it("is loopback by default", async () => {
    await using flock = new Flock();
    const server = await flock.serve({ port: 0 });
    expect(server.host).toBe("127.0.0.1");
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  });

  it("is reported if the port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    await using flock = new Flock();
    await expect(flock.serve({ port })).rejects.toMatchObject({
      code: "address_in_use",
      message: expect.stringMatching(
        new RegExp(`^Cannot listen on port ${port} of 127.0.0.1: another program uses it`),
      ),
    });
    other.close();
  });

  it("is reported if the host name cannot be resolved", async () => {
    await using flock = new Flock();
    await expect(flock.serve({ host: "198.51.100.1", port: 0 })).rejects.toEqual(code("cannot_listen"));
  });
});

const Idea = artifact("Idea", z.object({ text: z.string().min(1), stars: z.array(z.int()).optional() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));

/** A flock with one agent, served with everything that speaks HTTP. */
async function pizzeria() {
  const flock = new Flock();
  flock
    .agent("chef")
    .description("Makes pizzas")
    .consumes(Idea)
    .publishes(Pizza)
    .run(({ Idea: idea }) => {
      if (idea.text === "pineapple") throw new Error("never");
      return Pizza({ name: idea.text });
    });
  const server = await flock.serve({
    components: [
      new WebSocketServerComponent(),
      new ControlRoutesComponent(),
      new AgentsServerComponent(),
      new ArtifactsComponent(),
      new HealthAndMetricsComponent(),
    ],
    port: 0,
  });
  const get = async (path: string) => {
    const response = await fetch(server.url + path);
    return { status: response.status, body: await response.json() };
  };
  const post = async (path: string, body: unknown, type = "application/json") => {
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": type },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { flock, server, get, post, [Symbol.asyncDispose]: () => flock.shutdown() };
}

describe("the control routes", () => {
  it("list artifact types with their JSON Schema", async () => {
    await using house = await pizzeria();
    const { body } = await house.get("/api/plugin/artifact_types");
    expect(body.artifact_types.map(({ name }: { name: string }) => name)).toEqual(["Idea", "Pizza"]);
    expect(body.artifact_types[1].schema).toMatchObject({ type: "object", required: ["name"] });
  });

  it("publish once per idempotency key, and return the triggered agents", async () => {
    await using house = await pizzeria();
    const publish = { artifact_type: "Idea", payload: { text: "truffle" }, tags: ["new"], idempotency_key: "k" };
    const first = await house.post("/api/plugin/publish", publish);
    const second = await house.post("/api/plugin/publish", publish);
    expect(first).toMatchObject({ status: 200, body: { triggered_agents: ["chef"] } });
    expect(second.body).toEqual(first.body);
    await house.flock.runUntilIdle();
    expect(await house.flock.store.getByType(Pizza)).toEqual([{ name: "truffle" }]);
  });

  it("publish each time without an idempotency key, and refuse an empty one", async () => {
    await using house = await pizzeria();
    const publish = (key: unknown) =>
      house.post("/api/plugin/publish", { artifact_type: "Pizza", payload: { name: "a" }, idempotency_key: key });
    const [first, second] = [await publish(undefined), await publish(undefined)];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.body.artifact_id).not.toBe(second.body.artifact_id);
    for (const key of ["", null, 1, "x".repeat(201)]) {
      expect(await publish(key)).toMatchObject({
        status: 400,
        body: { error: { issues: [{ path: ["idempotency_key"] }] } },
      });
    }
    expect(await house.flock.store.getByType(Pizza)).toHaveLength(2);
  });

  it("refuse invalid requests, with the path of each field", async () => {
    await using house = await pizzeria();
    const publish = (body: unknown, type?: string) => house.post("/api/plugin/publish", body, type);
    expect(await publish({ artifact_type: "Idea", payload: { text: "x", stars: [1, "two"] } })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_payload", issues: [{ path: ["stars", 1] }] } },
    });
    expect(await publish({ payload: {} })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_request", issues: [{ path: ["artifact_type"] }] } },
    });
    expect(await publish({ artifact_type: "Pasta", payload: {} })).toMatchObject({
      status: 404,
      body: { error: { code: "unknown_artifact_type", message: expect.stringMatching(/Idea, Pizza/) } },
    });
    expect(await publish("{ not json")).toMatchObject({ status: 400, body: { error: { code: "invalid_request" } } });
    expect(await publish("x=1", "text/csv")).toMatchObject({ status: 415 });
    expect(await publish(`"${"x".repeat(11 * 1024 * 1024)}"`)).toMatchObject({
      status: 413,
      body: { error: { code: "message_too_big" } },
    });
  });

  it("invoke an agent, and cancel runs", async () => {
    await using house = await pizzeria();
    const inputs = [{ artifact_type: "Idea", payload: { text: "basil" } }];
    const { body } = await house.post("/api/plugin/invoke", { agent_id: "chef", inputs });
    expect(body).toEqual({ run_id: expect.any(String), correlation_id: expect.any(String), seq: expect.any(Number) });
    expect(await house.post("/api/plugin/invoke", { agent_id: "unknown", inputs })).toMatchObject({
      status: 404,
      body: { error: { code: "unknown_agent" } },
    });
    await house.flock.runUntilIdle();
    expect((await house.post("/api/plugin/cancel", { run_id: body.run_id })).body).toEqual({
      cancelled: 0,
      seq: house.flock.stats().head,
    });
    expect(await house.post("/api/plugin/cancel", {})).toMatchObject({ status: 400 });
  });

  it("return the graph", async () => {
    await using house = await pizzeria();
    const { body } = await house.get("/api/plugin/graph");
    expect(body.nodes.map(({ id }: { id: string }) => id)).toEqual(["external", "chef"]);
    expect(body.edges).toMatchObject([{ source: "external", target: "chef", artifact_type: "Idea" }]);
  });
});

describe("the agents routes", () => {
  it("return agents, their history, and the status of a workflow", async () => {
    await using house = await pizzeria();
    const good = await house.flock.publish(Idea({ text: "basil" }));
    const bad = await house.flock.publish(Idea({ text: "pineapple" }));
    await house.flock.runUntilIdle();
    const { body } = await house.get("/api/v1/plugin/agents");
    expect(body.agents).toMatchObject([
      { name: "chef", consumes: ["Idea"], counters: { started: 2, succeeded: 1, failed: 1 } },
    ]);
    expect((await house.get("/api/v1/plugin/agents/chef/history-summary")).body).toMatchObject({
      produced: { Pizza: 1 },
      consumed: { Idea: 2 },
    });
    const status = async (id: string) => (await house.get(`/api/v1/plugin/correlations/${id}/status`)).body;
    expect(await status(good.correlationId)).toMatchObject({
      state: "completed",
      has_pending_work: false,
      artifact_count: 2,
    });
    expect(await status(bad.correlationId)).toMatchObject({ state: "failed", error_count: 1 });
    expect(await house.get("/api/v1/plugin/agents/unknown/history-summary")).toMatchObject({ status: 404 });
    expect(await house.get("/api/v1/plugin/correlations/none/status")).toMatchObject({ status: 404 });
  });
});

describe("the artifacts routes", () => {
  it("return pages of artifacts by cursor or offset, newest first and each once", async () => {
    await using house = await pizzeria();
    for (let i = 0; i < 7; i++) await house.flock.publish(Idea({ text: `${i}` }));
    await house.flock.runUntilIdle();
    const seen: string[] = [];
    let query = "type_names=Idea&limit=3";
    for (let pages = 0; pages < 10; pages++) {
      const { body } = await house.get(`/api/v1/plugin/artifacts?${query}`);
      expect(body.total).toBe(7);
      seen.push(...body.artifacts.map(({ payload }: { payload: { text: string } }) => payload.text));
      if (body.next_cursor === null) break;
      query = `type_names=Idea&limit=3&cursor=${encodeURIComponent(body.next_cursor)}`;
    }
    expect(seen).toEqual(["6", "5", "4", "3", "2", "1", "0"]);
    const { body } = await house.get("/api/v1/plugin/artifacts?type_names=Idea&limit=2&offset=5");
    expect(body.artifacts.map(({ payload }: { payload: { text: string } }) => payload.text)).toEqual(["1", "0"]);
  });

  it("filter by producer, tags, workflow and time, and include consumptions", async () => {
    await using house = await pizzeria();
    const { correlationId } = await house.flock.publish(Idea({ text: "a" }), { tags: ["x", "y"] });
    await house.flock.publish(Idea({ text: "b" }));
    await house.flock.runUntilIdle();
    const total = async (query: string) => (await house.get(`/api/v1/plugin/artifacts?${query}`)).body.total;
    expect(await total("produced_by=chef")).toBe(2);
    expect(await total("tags=x,y")).toBe(1);
    expect(await total(`correlation_id=${correlationId}`)).toBe(2);
    expect(await total("start=2000-01-01T00:00:00Z&end=2001-01-01T00:00:00Z")).toBe(0);
    expect(await total("visibility=public")).toBe(4);
    const { body } = await house.get("/api/v1/plugin/artifacts?tags=x&embed_consumptions=true");
    expect(body.artifacts[0].consumptions).toMatchObject([{ agent_id: "chef" }]);
    expect(await house.get("/api/v1/plugin/artifacts?limit=0")).toMatchObject({
      status: 400,
      body: { error: { issues: [{ path: ["limit"] }] } },
    });
    expect(await house.get("/api/v1/plugin/artifacts?cursor=rubbish")).toMatchObject({ status: 400 });
  });

  it("publish, and return the location of the artifact", async () => {
    await using house = await pizzeria();
    const { status, headers, body } = await house.post("/api/v1/plugin/artifacts", {
      artifact_type: "Idea",
      payload: { text: "olive" },
    });
    expect(status).toBe(201);
    expect(await house.get(headers.get("location") as string)).toMatchObject({
      status: 200,
      body: { id: body.artifact_id, payload: { text: "olive" }, produced_by: "external" },
    });
    expect(await house.get("/api/v1/plugin/artifacts/none")).toMatchObject({ status: 404 });
  });
});

describe("health and metrics", () => {
  it("report that the server responds, and its counters", async () => {
    await using house = await pizzeria();
    expect(await house.get("/health")).toEqual({ status: 200, body: { status: "ok" } });
    const socket = new WebSocket(`${house.server.url.replace("http", "ws")}/plugin/ws?since=0`);
    const isLive = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => String(data).includes("caught_up") && resolve();
    });
    await isLive;
    await house.flock.publish(Idea({ text: "a" }));
    await house.flock.runUntilIdle();
    const response = await fetch(`${house.server.url}/metrics`);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const figures = new Map(
      (await response.text())
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
    );
    const { connections } = (house.server.component("websocket") as WebSocketServerComponent).stats();
    expect(connections).toBe(1);
    expect(figures.get("flock_websocket_connections")).toBe(1);
    expect(figures.get("flock_websocket_lagging")).toBe(0);
    expect(figures.get("flock_websocket_deliveries_total")).toBeGreaterThan(0);
    expect(figures.get("flock_websocket_sent_bytes_total")).toBeGreaterThan(100);
    expect(figures.get("flock_events_total")).toBe(house.flock.stats().events);
    expect(figures.get('flock_runs_ended_total{status="success"}')).toBe(1);
    socket.close();
  });
});

describe("the API documents", () => {
  it("describe every route with its errors (OpenAPI) and the WebSocket (AsyncAPI)", async () => {
    await using house = await pizzeria();
    const { body } = await house.get("/openapi.json");
    expect(body.openapi).toMatch(/^3\.1/);
    // Relative to each document, so that they hold behind a proxy that serves them under a sub-path.
    expect(body.servers).toEqual([{ url: "." }]);
    expect((await house.get("/docs/json")).body.servers).toEqual([{ url: ".." }]);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        "/api/plugin/publish",
        "/api/plugin/graph",
        "/api/v1/plugin/agents/{id}/history-summary",
        "/api/v1/plugin/artifacts/{id}",
        "/health",
        "/metrics",
      ]),
    );
    expect(Object.keys(body.paths["/api/plugin/publish"].post.responses)).toEqual(["200", "4XX", "5XX"]);
    expect((await house.get("/asyncapi.json")).body).toMatchObject({
      asyncapi: "3.0.0",
      channels: { events: { address: "/plugin/ws" } },
    });
    expect(await (await fetch(`${house.server.url}/docs`)).text()).toMatch(/<title>Flock API/);
  });

  it("an unknown path gets 404 as JSON", async () => {
    await using house = await pizzeria();
    expect(await house.get("/nowhere?x=1")).toEqual({
      status: 404,
      body: { error: { code: "not_found", message: "Not found: GET /nowhere." } },
    });
    expect(await house.post("/health", {})).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    expect((await house.get("/")).body.error.message).toMatch(/dashboard: true/);
  });
});
