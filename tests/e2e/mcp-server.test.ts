import { connect } from "node:net";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import fc from "fast-check";
import { artifact, Flock, visibility } from "flock-ts";
import { CORSComponent, McpServerComponent, type McpServerConfig } from "flock-ts/components/server";
import { mcpTools } from "flock-ts/tools/mcp";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { ROOT } from "../docs/documents.ts";
import { temporaryFile } from "../docs/program.ts";
import { delay } from "../support/delay.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RunningProgram } from "../support/process.ts";
import { rawRequest } from "../support/raw-request.ts";

// biome-ignore lint/suspicious/noExplicitAny: an untyped response, as any client reads it
type Answer = Record<string, any>;
type Mode = "legacy" | { pin: string };

/** Creates a pizzeria with an MCP server. */
async function served(config: McpServerConfig = {}, serve: Parameters<Flock["serve"]>[0] = {}, flock = pizzeria()) {
  const component = new McpServerComponent(config);
  const server = await flock.serve({ port: 0, ...serve, components: [component, ...(serve.components ?? [])] });
  onTestFinished(() => flock.shutdown());
  const url = `${server.url}${component.path}`;
  const client = async (mode: Mode = { pin: "2026-07-28" }, headers: Record<string, string> = {}) => {
    const one = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    await one.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    onTestFinished(() => one.close());
    const raw = (name: string, input = {}, signal?: AbortSignal) =>
      one.callTool({ name, arguments: input }, signal ? { signal } : {});
    const call = async (name: string, input = {}, signal?: AbortSignal): Promise<Answer> =>
      (await raw(name, input, signal)).structuredContent as Answer;
    return { one, raw, call };
  };
  return { flock, server, url, component, client };
}

describe.for<[string, Mode]>([
  ["2026", { pin: "2026-07-28" }],
  ["2025", "legacy"],
])("client of protocol version %s", ([, mode]) => {
  it("lists the tools, types and agents", async () => {
    const { one, call } = await (await served()).client(mode);
    expect(one.getServerVersion()).toMatchObject({ name: "flock" });
    expect(one.getInstructions()).toMatch(/blackboard/);
    const { tools } = await one.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "list_artifact_types",
      "publish_artifact",
      "query_artifacts",
      "get_artifact",
      "list_agents",
      "get_workflow",
      "watch",
    ]);
    expect(tools.filter(({ annotations }) => !annotations?.readOnlyHint).map(({ name }) => name)).toEqual([
      "publish_artifact",
    ]);
    const { artifact_types } = await call("list_artifact_types");
    expect(artifact_types).toContainEqual({
      name: "Idea",
      schema: expect.objectContaining({ type: "object", required: ["description"] }),
    });
    expect((await call("list_agents")).agents[0]).toMatchObject({
      name: "pizza_master",
      consumes: ["Idea"],
      publishes: ["Pizza"],
    });
  });

  it("publishes, watches the results and reads them", async () => {
    const { call } = await (await served()).client(mode);
    const { seq, correlation_id, artifact_id, triggered_agents } = await call("publish_artifact", {
      artifact_type: "Idea",
      payload: { description: "truffle" },
      tags: ["hungry"],
    });
    expect(triggered_agents).toEqual(["pizza_master"]);
    const { events } = await call("watch", { since: seq, correlation_id, artifact_types: ["Pizza"] });
    expect(events).toEqual([expect.objectContaining({ artifact_type: "Pizza", produced_by: "pizza_master" })]);
    const { artifacts, total } = await call("query_artifacts", { correlation_id });
    expect(total).toBe(2);
    expect(artifacts.map(({ type }: Answer) => type)).toEqual(["Pizza", "Idea"]);
    expect((await call("query_artifacts", { tags: ["hungry"], limit: 1 })).artifacts[0].id).toBe(artifact_id);
    expect(await call("get_artifact", { id: events[0].artifact_id })).toEqual(artifacts[0]);
    await vi.waitFor(
      async () =>
        expect(await call("get_workflow", { correlation_id })).toMatchObject({ state: "completed", artifact_count: 2 }),
      { timeout: 20_000 },
    );
  });

  it("receives errors with the invalid field, also as text", async () => {
    const { raw } = await (await served()).client(mode);
    const error = async (name: string, input: object) => {
      const { isError, content } = await raw(name, input);
      expect(isError).toBe(true);
      return (content[0] as { text: string }).text;
    };
    expect(JSON.parse(await error("publish_artifact", { artifact_type: "Idea", payload: { description: 7 } }))).toEqual(
      {
        error: {
          code: "invalid_payload",
          message: expect.stringMatching(/description/),
          issues: [{ path: ["description"], message: expect.stringMatching(/expected string/) }],
        },
      },
    );
    expect(await error("publish_artifact", { artifact_type: "Nothing", payload: {} })).toMatch(
      /unknown_artifact_type.*Known types: .*Idea/,
    );
    expect(await error("publish_artifact", { payload: {} })).toMatch(/artifact_type/);
    expect(await error("query_artifacts", { limit: 100_000 })).toMatch(/limit/);
    expect(await error("query_artifacts", { cursor: "rubbish" })).toMatch(/invalid_request.*cursor/);
    expect(await error("query_artifacts", { typenames: ["x"] })).toMatch(/typenames/);
    expect(await error("get_artifact", { id: "none" })).toMatch(/not_found/);
    expect(await error("get_workflow", { correlation_id: "none" })).toMatch(/not_found/);
    expect(await error("watch", { types: ["nothing"] })).toMatch(/types/);
  });
});

describe("watch", () => {
  it("waits for future events only", async () => {
    const { client, flock, component } = await served();
    const { call } = await client();
    const watching = call("watch", { artifact_types: ["Pizza"] });
    await vi.waitFor(() => expect(component.requestCount).toBe(1), { timeout: 20_000 });
    await flock.publish(Idea({ description: "truffle" }));
    const { events } = await watching;
    expect(events.map(({ artifact_type }: Answer) => artifact_type)).toEqual(["Pizza"]);
  });

  it("times out with no events and a cursor", async () => {
    const { client, flock } = await served();
    const { call } = await client();
    await flock.publish(Idea({ description: "x" }));
    await flock.runUntilIdle();
    const page = await call("watch", { wait_seconds: 0.05, artifact_types: ["Nothing"] });
    expect(page).toEqual({ events: [], next: flock.log.head, head: flock.log.head, oldest: 1, epoch: flock.log.epoch });
  });

  it("returns each event once, for any page size and timing", async () => {
    const Note = artifact("Note", z.object({ n: z.int() }));
    const flock = new Flock().register(Note);
    const { client } = await served({}, {}, flock);
    const { call } = await client();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        async (ns, limit) => {
          let since = flock.log.head;
          const correlation_id = `w${since}`;
          const publishing = (async () => {
            for (const n of ns) {
              await flock.publish(Note({ n }), { correlationId: correlation_id });
              if (n % 3 === 0) await delay(1);
            }
          })();
          const seen: number[] = [];
          while (seen.length < ns.length) {
            const page = await call("watch", { since, epoch: flock.log.epoch, limit, correlation_id });
            seen.push(...page.events.map(({ payload }: Answer) => payload.n));
            expect(page.events.length).toBeLessThanOrEqual(limit);
            since = page.next;
          }
          await publishing;
          expect(seen).toEqual(ns);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("reports a gap for dropped events and for another log", async () => {
    const Note = artifact("Note", z.string());
    const flock = new Flock({ logBufferBytes: 0 }).register(Note);
    const { call } = await (await served({}, {}, flock)).client();
    for (let i = 0; i < 2_000; i++) await flock.publish(Note("x".repeat(500)));
    expect((await call("watch", { since: 1 })).gap).toMatchObject({ from_seq: 2, reason: "expired" });
    expect((await call("watch", { since: 1, epoch: "other" })).gap).toMatchObject({ reason: "epoch" });
    expect((await call("watch", { since: -3 })).events).toHaveLength(3);
  });

  it("ends when its client disconnects or cancels", async () => {
    const { client, component, url } = await served();
    const { call } = await client();
    const abort = new AbortController();
    const given = call("watch", {}, abort.signal).catch((error) => error);
    await vi.waitFor(() => expect(component.requestCount).toBe(1), { timeout: 20_000 });
    abort.abort();
    await given;
    await vi.waitFor(() => expect(component.requestCount).toBe(0), { timeout: 20_000 });

    const { port, hostname } = new URL(url);
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "watch", arguments: {} },
    });
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(
      `POST /mcp HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await vi.waitFor(() => expect(component.requestCount).toBe(1), { timeout: 20_000 });
    socket.resetAndDestroy();
    await vi.waitFor(() => expect(component.requestCount).toBe(0), { timeout: 20_000 });
  });

  it("is answered on shutdown, which no client can delay", async () => {
    const { client, server, component } = await served();
    const { call } = await client();
    const watching = call("watch", { wait_seconds: 50 });
    await vi.waitFor(() => expect(component.requestCount).toBe(1), { timeout: 20_000 });
    await server.close();
    expect(await watching).toMatchObject({ events: [] });
  });
});

describe("access", () => {
  it.for([
    ["http://evil.example", 403],
    ["null", 403],
    ["http://localhost:3000", 403],
    ["http://127.0.0.1:3000", 200],
    [undefined, 200],
  ] as const)("for a page from %s: %s", async ([origin, status]) => {
    const { url } = await served();
    expect((await post(url, INITIALIZE, origin ? { origin } : {})).status).toBe(status);
  });

  it("is denied to a page with a rebound DNS name", async () => {
    const { server } = await served();
    const answer = await rawRequest(server.port, INITIALIZE, { host: "evil.example", origin: "http://evil.example" });
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*host_not_allowed/s);
  });

  it("is granted to a page that the CORS component allows", async () => {
    const { url } = await served({}, { components: [new CORSComponent({ allowOrigins: ["http://app.example"] })] });
    expect((await post(url, INITIALIZE, { origin: "http://app.example" })).status).toBe(200);
    expect((await post(url, INITIALIZE, { origin: "http://evil.example" })).status).toBe(403);
  });

  it("is limited to maxRequests at once, and freed when a request ends", async () => {
    const { client, component, url } = await served({ maxRequests: 2 });
    const { call } = await client();
    const abort = new AbortController();
    const waiting = [1, 2].map(() => call("watch", {}, abort.signal).catch(() => {}));
    await vi.waitFor(() => expect(component.requestCount).toBe(2), { timeout: 20_000 });
    const full = await post(url, INITIALIZE);
    expect(full.status).toBe(503);
    expect(full.headers.get("retry-after")).toBe("5");
    abort.abort();
    await Promise.all(waiting);
    await vi.waitFor(async () => expect((await post(url, INITIALIZE)).status).toBe(200), { timeout: 20_000 });
  });

  it("every tool returns only what the client may see", async () => {
    const Secret = artifact("Secret", z.object({ text: z.string() }));
    const flock = new Flock().register(Secret);
    const identify = ({ headers }: { headers: Record<string, unknown> }) =>
      typeof headers["x-name"] === "string"
        ? ({ kind: "client", name: headers["x-name"], labels: [headers["x-name"]] } as const)
        : undefined;
    const { client, url } = await served({}, { principal: identify as never }, flock);
    const { artifactId, correlationId } = await flock.publish(Secret({ text: "for ann" }), {
      visibility: visibility.labelled("ann"),
    });
    expect((await post(url, INITIALIZE)).status).toBe(401);
    const read = async (name: string) => {
      const { raw } = await client("legacy", { "x-name": name });
      const answers = [
        await raw("query_artifacts"),
        await raw("get_artifact", { id: artifactId }),
        await raw("get_workflow", { correlation_id: correlationId }),
        await raw("watch", { since: 0, wait_seconds: 0 }),
        await raw("list_agents"),
      ];
      return JSON.stringify(answers);
    };
    expect(await read("ann")).toContain("for ann");
    const seen = await read("bob");
    expect(seen).not.toContain("for ann");
    expect(seen.match(/not_found/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it("only named tools are available", async () => {
    const { client, flock } = await served({ tools: ["query_artifacts", "watch"] });
    const { one, raw } = await client();
    expect((await one.listTools()).tools.map(({ name }) => name)).toEqual(["query_artifacts", "watch"]);
    await expect(raw("publish_artifact", { artifact_type: "Idea", payload: { description: "x" } })).rejects.toThrow(
      /publish_artifact/,
    );
    expect((await flock.store.query()).total).toBe(0);
  });
});

describe("invalid requests", () => {
  it.for<[string, string, number]>([
    ["no JSON", "{", 400],
    ["nothing", "", 400],
    ["no JSON-RPC", "[1,2,3]", 400],
    ["an unknown method", '{"jsonrpc":"2.0","id":1,"method":"no/such"}', 200],
    ["a tool without arguments", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":7}', 400],
    ["too much", `{"x":"${"y".repeat(11 * 1024 * 1024)}"}`, 413],
  ])("%s is rejected, and the server keeps running", async ([, body, status]) => {
    const { url, client, component } = await served();
    expect((await post(url, body)).status).toBe(status);
    expect((await (await client()).call("list_agents")).agents).toHaveLength(1);
    await vi.waitFor(() => expect(component.requestCount).toBe(0), { timeout: 20_000 });
  });

  it("random bytes do no harm", async () => {
    const { url, client } = await served();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record({
              jsonrpc: fc.constant("2.0"),
              id: fc.jsonValue(),
              method: fc.constantFrom("tools/call", "tools/list", "ping", "subscriptions/listen"),
              params: fc.jsonValue(),
            })
            .map((value) => JSON.stringify(value)),
        ),
        async (body) => {
          expect((await post(url, body)).status).toBeLessThan(500);
        },
      ),
      { numRuns: 60 },
    );
    expect((await (await client()).call("list_agents")).agents).toHaveLength(1);
  });

  it("GET and DELETE, which only sessions need, are rejected", async () => {
    const { url } = await served();
    for (const method of ["GET", "DELETE"]) expect((await fetch(url, { method })).status).toBe(405);
  });
});

describe("another flock", () => {
  it("uses this one through mcpTools", async () => {
    const { url } = await served();
    await using kitchen = mcpTools({ name: "kitchen", url, allow: ["publish_artifact", "watch"] });
    const published = await kitchen.call("publish_artifact", {
      artifact_type: "Idea",
      payload: { description: "truffle" },
    });
    const { seq } = published.structured as Answer;
    const { structured } = await kitchen.call("watch", { since: seq, artifact_types: ["Pizza"] });
    expect((structured as Answer).events[0].artifact_type).toBe("Pizza");
  });
});

describe("MCP SDK", () => {
  it("is not required without the component, and otherwise named with the install command", async () => {
    const code = `
      import { Flock } from "flock-ts";
      import { HealthAndMetricsComponent, McpServerComponent } from "flock-ts/components/server";
      const flock = new Flock();
      await (await flock.serve({ port: 0, components: [new HealthAndMetricsComponent()] })).close();
      console.log("served");
      await flock.serve({ port: 0, components: [new McpServerComponent()] }).catch(({ code, message }) => console.log(code, message));
      await flock.shutdown();
    `;
    await using file = await temporaryFile(code);
    await using program = new RunningProgram(["node", "--import", "./tests/e2e/programs/without.mjs", file.path], {
      cwd: ROOT,
      env: { ...process.env, WITHOUT: "@modelcontextprotocol/server" },
    });
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines).toEqual([
      "served",
      "missing_dependency Cannot load McpServerComponent: a package is not installed. Run `npm install @modelcontextprotocol/server`.",
    ]);
  });
});

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
});

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
  });
}
