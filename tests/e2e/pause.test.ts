import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@flock-ts/client";
import { type AgentInfo, emptyState, pauseResultSchema, reduceAll } from "@flock-ts/protocol";
import { artifact, Flock } from "flock-ts";
import { AgentsServerComponent, ControlRoutesComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { RecordingSocket } from "../support/recording-socket.ts";

const Order = artifact("Order", z.object({ n: z.int() }));

/** Creates a kitchen whose clients are guests unless they authenticate as the owner. */
async function kitchen() {
  const flock = new Flock();
  const done: number[] = [];
  flock
    .agent("chef")
    .consumes(Order)
    .run(({ Order: { n } }) => {
      done.push(n);
    });
  const server = await flock.serve({
    port: 0,
    components: [new WebSocketServerComponent(), new ControlRoutesComponent(), new AgentsServerComponent()],
    principal: ({ headers }) =>
      headers.authorization === "owner" ? { kind: "owner" } : { kind: "client", name: "guest" },
  });
  return {
    flock,
    done,
    connect: (authorization: string) =>
      RecordingSocket.open(`${server.url.replace("http", "ws")}/plugin/ws?since=0`, { headers: { authorization } }),
    async post(path: string, body: object, authorization = "owner") {
      const headers = { authorization, "content-type": "application/json" };
      const response = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
      return { status: response.status, body: (await response.json()) as { error?: { code: string } } };
    },
    async agents(): Promise<AgentInfo[]> {
      const response = await fetch(`${server.url}/api/v1/plugin/agents`, { headers: { authorization: "owner" } });
      return ((await response.json()) as { agents: AgentInfo[] }).agents;
    },
    [Symbol.asyncDispose]: () => flock.shutdown(),
  };
}

describe("pausing and resuming an agent", () => {
  it("works over HTTP", async () => {
    await using site = await kitchen();
    await using viewer = await site.connect("guest");
    const { status, body } = await site.post("/api/plugin/pause", { agent_id: "chef" });
    expect(status).toBe(200);
    const { agents, seq } = pauseResultSchema.parse(body);
    expect(agents).toEqual(["chef"]);
    expect((await viewer.next("agent_paused")).seq).toBeLessThanOrEqual(seq);
    await site.post("/api/plugin/publish", { artifact_type: "Order", payload: { n: 1 } });
    expect((await viewer.next("agent_queue_changed")).queued).toBe(1);
    expect(await site.agents()).toMatchObject([{ name: "chef", paused: true, queued: 1 }]);
    expect(reduceAll(emptyState(), viewer.events).agents.get("chef")).toMatchObject({ paused: true, queued: 1 });
    expect(site.done).toEqual([]);
    expect((await site.post("/api/plugin/resume", {})).body).toMatchObject({ agents: ["chef"] });
    await viewer.next("agent_execution_completed");
    expect(site.done).toEqual([1]);
    expect(await site.agents()).toMatchObject([{ paused: false, queued: 0 }]);
    expect(await site.post("/api/plugin/pause", { agent_id: "unknown" })).toMatchObject({
      status: 404,
      body: { error: { code: "unknown_agent" } },
    });
  });

  it("works over a WebSocket", async () => {
    await using site = await kitchen();
    await using owner = await site.connect("owner");
    const paused = await owner.command({ id: 1, type: "pause" });
    expect(paused).toMatchObject({ ok: true, result: { agents: ["chef"], seq: paused.seq } });
    expect((await owner.next("agent_paused")).seq).toBeLessThanOrEqual(paused.seq);
    await owner.command({ id: 2, type: "publish", artifact_type: "Order", payload: { n: 1 } });
    await owner.next("agent_queue_changed", ({ queued }) => queued === 1);
    const resumed = await owner.command({ id: 3, type: "resume", agent_id: "chef" });
    expect(resumed).toMatchObject({ ok: true, result: { agents: ["chef"] } });
    const started = await owner.next("agent_execution_started");
    expect(started.seq).toBeGreaterThan((await owner.next("agent_resumed")).seq);
    expect(await owner.command({ id: 4, type: "pause", agent_id: 5 })).toMatchObject({
      ok: false,
      error: { code: "invalid_message" },
    });
  });

  it("is limited to the owner", async () => {
    await using site = await kitchen();
    await using guest = await site.connect("guest");
    const refused = { error: { code: "not_allowed" } };
    for (const what of ["pause", "resume"]) {
      expect(await site.post(`/api/plugin/${what}`, {}, "guest")).toMatchObject({ status: 403, body: refused });
      expect(await guest.command({ id: what, type: what })).toMatchObject({ ok: false, ...refused });
    }
    expect(site.flock.agents()).toMatchObject([{ paused: false }]);
  });
});

const program = fileURLToPath(new URL("programs/busy-server.ts", import.meta.url));

describe("pause on a persistent store", () => {
  it.for(["SIGKILL", "SIGTERM"] as const)("survives %s together with the queue", async (signal) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    const start = async () => {
      const server = new RunningProgram(["node", program, file, "0"]);
      return { server, port: (await server.line(/^port \d+/)).slice(5) };
    };
    const ORDERS = 5;
    {
      const { server, port } = await start();
      await using _first = server;
      using client = connect(`ws://127.0.0.1:${port}/plugin/ws`);
      expect((await client.pause({ agent_id: "chef" })).agents).toEqual(["chef"]);
      for (let n = 0; n < ORDERS; n++) await client.publish({ artifact_type: "Order", payload: { n } });
      await queued(port, ORDERS);
      server.signal(signal);
      await server.exit();
    }
    const { server, port } = await start();
    await using _second = server;
    using client = connect(`ws://127.0.0.1:${port}/plugin/ws`);
    await queued(port, ORDERS);
    expect((await client.graph()).nodes.find(({ id }) => id === "chef")).toMatchObject({ paused: true });
    expect(await made(port)).toBe(0);
    expect((await client.resume()).agents).toEqual(["chef"]);
    await expect.poll(() => made(port), { timeout: 30_000 }).toBe(ORDERS);
    await queued(port, 0, false);
  });
});

async function queued(port: string, count: number, paused = true): Promise<void> {
  const look = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/plugin/agents`);
    const { agents } = (await response.json()) as { agents: AgentInfo[] };
    return agents.find(({ name }) => name === "chef");
  };
  await expect.poll(look, { timeout: 30_000 }).toMatchObject({ paused, queued: count });
}

async function made(port: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/plugin/artifacts?type_names=Pizza`);
  return ((await response.json()) as { total: number }).total;
}
