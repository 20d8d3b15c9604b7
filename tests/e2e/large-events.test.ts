import { fileURLToPath } from "node:url";
import { emptyState, type FlockEvent, graphSnapshotSchema, reduceAll } from "@flock-ts/protocol";
import { artifact, Flock } from "flock-ts";
import { ControlRoutesComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runPython } from "../support/python.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

const Note = artifact("Note", z.object({ text: z.string() }));
const program = fileURLToPath(new URL("programs/read_all.py", import.meta.url));

const AGENTS = 120;

/** A flock whose graph has far more edges than fit into one message, and large artifacts. */
async function large() {
  const flock = new Flock({ maxInlinePayloadBytes: 4 * 1024 * 1024 });
  for (let i = 0; i < AGENTS; i++) {
    flock
      .agent(`agent ${i} ${"x".repeat(100)}`)
      .description("y".repeat(1_000))
      .consumes(Note, { where: () => false })
      .publishes(Note)
      .run(() => Note({ text: "" }));
  }
  for (const text of ["small", "x".repeat(2_000_000), "\u0001".repeat(300_000), "é".repeat(400_000)]) {
    await flock.publish(Note({ text }), { tags: Array.from({ length: 1_000 }, (_, i) => `${i}`.padEnd(200, "z")) });
  }
  const server = await startServer({
    flock,
    components: [new WebSocketServerComponent(), new ControlRoutesComponent()],
  });
  return { flock, server };
}

describe("a client with a limit of 1 MiB per message", () => {
  it("receives every event of a huge graph and of huge artifacts: Python's websockets with its defaults", async () => {
    const { flock, server } = await large();
    await using _ = server;
    const { head } = flock.log;
    await using python = runPython(program, [server.ws("/plugin/ws?since=0")]);
    await python.line(new RegExp(`^caught up ${head} ${head} ${AGENTS} ${AGENTS ** 2}$`));
    // The reply to `graph` would be too large, and is an error.
    await python.line(/^reply False message_too_big$/);
  });

  it("folds the parts of the graph to what the server has", async () => {
    const { flock, server } = await large();
    await using _ = server;
    await using client = await RecordingSocket.open(server.ws("/plugin/ws?since=0"), { maxPayload: 1024 * 1024 });
    await client.next("caught_up");
    const parts = client.events.filter(({ type }) => type === "graph_updated");
    expect(parts.length).toBeGreaterThan(1);
    const state = reduceAll(emptyState(), client.events as FlockEvent[]);
    const graph = graphSnapshotSchema.parse(await (await server.get("/api/plugin/graph")).json());
    expect(state.edges).toEqual(graph.edges);
    expect(state.nodes.map(({ id }) => id)).toEqual(graph.nodes.map(({ id }) => id));
    expect(flock.graph().edges).toHaveLength(AGENTS ** 2);
  });
});

describe("an id, a name or a tag of 2 MB", () => {
  const long = "x".repeat(900_000);

  it.for([
    ["correlation_id", { correlation_id: long }],
    ["tags.0", { tags: [long] }],
    ["artifact_type", { artifact_type: long }],
    ["visibility.tenant_id", { visibility: { kind: "tenant", tenant_id: long } }],
    ["visibility.agents.0", { visibility: { kind: "private", agents: [long] } }],
  ] as const)("is refused on the wire with the name of the field: %s", async ([field, wrong]) => {
    await using server = await startServer({
      flock: new Flock().register(Note),
      components: [new WebSocketServerComponent(), new ControlRoutesComponent()],
    });
    const request = { artifact_type: "Note", payload: { text: "a" }, ...wrong };
    await using client = await server.connect();
    const expected = { message: `${field}: is too long: the limit is 200 characters` };
    expect(await client.command({ id: 1, type: "publish", ...request })).toMatchObject({ ok: false, error: expected });
    const response = await fetch(`${server.url}/api/plugin/publish`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    expect([response.status, await response.json()]).toMatchObject([400, { error: expected }]);
  });

  it("is refused in code as well", async () => {
    await using flock = new Flock();
    const refused = { code: "invalid_request", message: expect.stringContaining("the limit is 200") };
    await expect(flock.publish(Note({ text: "" }), { correlationId: long })).rejects.toMatchObject(refused);
    await expect(flock.publish(Note({ text: "" }), { tags: [long] })).rejects.toMatchObject(refused);
    expect(() => flock.agent("a").tags(long)).toThrow(/tags of agent `a`.*the limit is 200/);
    expect(() => flock.agent("b").description(long)).toThrow(/description of agent `b`.*the limit is 10000/);
  });
});
