import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { RawSocket } from "../../../../tests/support/raw-socket.ts";
import { artifact, Flock, FlockError } from "../index.ts";
import {
  ControlRoutesComponent,
  McpServerComponent,
  ServerComponent,
  type ServerContext,
  WebSocketServerComponent,
} from "./components/index.ts";

const List = artifact("List", z.object({ items: z.array(z.string().min(1)) }));

/** A flock at every door that parses JSON, and the exceptions that would have ended its process. */
async function served(serve: Parameters<Flock["serve"]>[0] = {}) {
  const flock = new Flock().register(List);
  onTestFinished(() => flock.shutdown());
  const components = [new WebSocketServerComponent(), new ControlRoutesComponent(), new McpServerComponent()];
  const server = await flock.serve({ port: 0, components, ...serve });
  const fatal: unknown[] = [];
  const note = (error: unknown) => fatal.push(error);
  // Vitest reports both by itself, but ends no process; Node does.
  process.on("uncaughtException", note).on("unhandledRejection", note);
  onTestFinished(() => void process.off("uncaughtException", note).off("unhandledRejection", note));
  const connect = async () => {
    const raw = await RawSocket.open(`${server.url.replace("http", "ws")}/plugin/ws`);
    onTestFinished(() => raw[Symbol.asyncDispose]());
    await raw.message("hello");
    return raw;
  };
  const post = (path: string, body: string) =>
    fetch(server.url + path, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    });
  return { flock, server, fatal, connect, post };
}

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("JSON that is nested deeply", () => {
  it.for([
    `{"id":${nested(7_000)},"type":"ping"}`,
    `{"id":1,"type":${nested(7_000)}}`,
    `{"id":1,"type":"publish","artifact_type":"List","payload":${nested(7_000)}}`,
    `{"id":1,"type":"publish","artifact_type":"List","payload":{},"tags":${nested(100_000)}}`,
  ])("in a WebSocket message is refused with the limit, and the connection stays open", async (message) => {
    const { connect, fatal } = await served();
    const raw = await connect();
    raw.sendFrame(message);
    expect(await raw.message("error")).toMatchObject({
      code: "invalid_message",
      message: expect.stringContaining("the limit is 128 levels"),
    });
    raw.sendFrame('{"id":2,"type":"ping"}');
    expect(await raw.message("reply")).toMatchObject({ id: 2, ok: true });
    expect(fatal).toEqual([]);
  });

  it.for(["/api/plugin/publish", "/mcp"])("in the body of a request to %s is refused with the limit", async (path) => {
    const { post, fatal } = await served();
    const response = await post(path, `{"artifact_type":"List","payload":${nested(7_000)}}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { code: "invalid_request", message: expect.stringContaining("the limit is 128 levels") },
    });
    expect(fatal).toEqual([]);
  });
});

describe("the id of a command", () => {
  it.for([`"${"x".repeat(201)}"`, '{"a":1}', "[1]", "true"])(
    "is a string of limited length or a number, and nothing else is repeated",
    async (id) => {
      const { connect } = await served();
      const raw = await connect();
      for (const type of ["ping", "nonsense"]) {
        raw.sendFrame(`{"id":${id},"type":"${type}"}`);
        const answer = await raw.message();
        expect(answer).toMatchObject({ type: "error", code: "invalid_message" });
        expect(answer).not.toHaveProperty("id");
        if (type === "ping") expect(answer.message).toMatch(/id: .*200 characters/);
      }
    },
  );
});

describe("an exception while a connection is served", () => {
  it.for(["in a reply", "in a time slice"])("%s closes that connection with 1011 and no other", async (where) => {
    const { connect, fatal, flock } = await served();
    const [victim, other] = [await connect(), await connect()];
    if (where === "in a reply") {
      // The error cannot be serialized either.
      const issues = [{ path: [], message: 1n as never }];
      vi.spyOn(flock.wire, "graph").mockImplementation(() => {
        throw new FlockError("invalid_payload", "broken", { issues });
      });
    }

    if (where === "in a time slice") {
      vi.spyOn(flock.log, "read").mockImplementation(() => {
        throw new RangeError("broken");
      });
      await flock.publish(List({ items: ["a"] }));
    }
    victim.sendFrame(where === "in a reply" ? '{"id":1,"type":"graph"}' : '{"id":1,"type":"subscribe","since":0}');
    expect(await victim.closeFrame()).toMatchObject({ code: 1011 });
    other.sendFrame('{"id":2,"type":"ping"}');
    expect(await other.message("reply")).toMatchObject({ id: 2, ok: true });
    expect(fatal).toEqual([]);
  });
});

describe("a WebSocket upgrade", () => {
  it.for(["/health", "/openapi.json", "/plugin/events", "/nowhere", "/", "/docs/"])(
    "of %s, which is no WebSocket route, gets 404 before the handshake and holds no shutdown",
    async (path) => {
      const { server } = await served();
      const raw = await RawSocket.connect(server.url);
      onTestFinished(() => raw[Symbol.asyncDispose]());
      const head = await raw.request(path, { Origin: "https://evil.example" });
      expect(head.status).toBe(404);
      expect(await raw.body(head)).toMatchObject({ error: { code: "not_found" } });
      await raw.ended();
    },
  );
});

describe("shutdown", () => {
  it("destroys the sockets of custom WebSocket routes whose peers do not close", async () => {
    class Echo extends ServerComponent {
      override readonly name = "echo";
      override registerRoutes({ app }: ServerContext): void {
        app.get("/echo", { websocket: true }, (socket) => void socket.on("message", (data) => socket.send(data)));
      }
    }
    const { server } = await served({ components: [new WebSocketServerComponent(), new Echo()] });
    const raw = await RawSocket.open(`${server.url.replace("http", "ws")}/echo`);
    onTestFinished(() => raw[Symbol.asyncDispose]());
    raw.sendFrame("hello");
    expect(String((await raw.frame()).payload)).toBe("hello");
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(8_000);
    await raw.ended();
  });
});

describe("a principal function that does not answer", () => {
  const silent = () => {
    const signals: AbortSignal[] = [];
    const principal = (_: unknown, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<never>(() => {});
    };
    return { signals, principal };
  };
  const waiting = async (url: string) => {
    const raw = await RawSocket.connect(url);
    onTestFinished(() => raw[Symbol.asyncDispose]());
    return { raw, head: raw.request("/plugin/ws") };
  };

  it("is abandoned after the time limit, with 503", async () => {
    const { signals, principal } = silent();
    const { server } = await served({ principal, principalTimeout: 0.05 });
    const response = await fetch(`${server.url}/plugin/events`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      error: { code: "unavailable", message: expect.stringContaining("within 0.05 seconds (`principalTimeout`)") },
    });
    expect((await (await waiting(server.url)).head).status).toBe(503);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it("has a limited number of pending calls, and a client that disconnects releases its slot", async () => {
    const { signals, principal } = silent();
    // Without a time limit that would release the slot as well.
    const { server } = await served({ principal, maxPendingPrincipals: 2, principalTimeout: 3_600 });
    const [first, second] = [await waiting(server.url), await waiting(server.url)];
    for (const { head } of [first, second]) head.catch(() => {});
    await vi.waitUntil(() => signals.length === 2, { timeout: 15_000 });
    const third = await fetch(`${server.url}/plugin/events`);
    expect([third.status, third.headers.get("retry-after")]).toEqual([503, "5"]);
    first.raw.vanish();
    await vi.waitUntil(() => signals[0]?.aborted, { timeout: 15_000 });
    (await waiting(server.url)).head.catch(() => {});
    await vi.waitUntil(() => signals.length === 3, { timeout: 15_000 });
  });

  it("does not delay the shutdown, which answers pending requests", async () => {
    const { signals, principal } = silent();
    const { server, flock } = await served({ principal });
    const upgrade = await waiting(server.url);
    const request = fetch(`${server.url}/plugin/events`);
    await vi.waitUntil(() => signals.length === 2, { timeout: 15_000 });
    const started = performance.now();
    await Promise.all([server.close(), upgrade.head, request.then(({ status }) => expect(status).toBe(503))]);
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    await flock.shutdown();
  });
});

describe("a filter with many names", () => {
  const names = Array.from({ length: 101 }, (_, i) => `n${i}`);

  it("is refused beyond 100 names per list on every route, with the limit", async () => {
    const { connect, server } = await served();
    const raw = await connect();
    const limit = expect.stringContaining("the limit is 100");
    for (const list of ["agents", "artifact_types"]) {
      raw.sendFrame(JSON.stringify({ id: 1, type: "subscribe", filter: { [list]: names } }));
      expect(await raw.message("reply")).toMatchObject({ ok: false, error: { message: limit } });
      const response = await fetch(`${server.url}/plugin/events?${list}=${names}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { message: limit } });
    }
    raw.sendFrame(JSON.stringify({ id: 2, type: "subscribe", filter: { agents: names.slice(1) } }));
    expect(await raw.message("reply")).toMatchObject({ ok: true });
  });
});

describe("input with very many errors", () => {
  const wrong = (count: number) => Array(count).fill("");

  it.for([
    ["a list of the contract", "tags"],
    ["a payload of the user's schema", "payload"],
  ] as const)("in %s gets an answer with at most 20 issues, over HTTP and WebSocket", async ([, where]) => {
    const { connect, post } = await served();
    const items = wrong(300_000);
    const request = { artifact_type: "List", payload: { items: where === "payload" ? items : ["a"] } };
    const body = { ...request, ...(where === "tags" ? { tags: items } : {}) };
    const response = await post("/api/plugin/publish", JSON.stringify(body));
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { issues: unknown[] } };
    const raw = await connect();
    raw.sendFrame(JSON.stringify({ id: 1, type: "publish", ...body }));
    const reply = (await raw.message("reply")) as unknown as { error: { issues: unknown[] } };
    for (const { issues } of [error, reply.error]) {
      if (where === "tags") expect(issues).toEqual([{ path: ["tags"], message: expect.stringContaining("1000") }]);
      else {
        expect(issues).toHaveLength(20);
        expect(issues.at(-1)).toEqual({ path: [], message: "and 299981 more issues" });
      }
    }
  });

  it("such as long unknown keys, gets a short response", async () => {
    const { post } = await served();
    const visibility = { kind: "public", ...Object.fromEntries(wrong(10_000).map((_, i) => [`k${i}`, 1])) };
    const response = await post(
      "/api/plugin/publish",
      JSON.stringify({ artifact_type: "List", payload: { items: [] }, visibility }),
    );
    expect(response.status).toBe(400);
    expect((await response.text()).length).toBeLessThan(2_000);
  });

  it("is refused by the size of the body before it is parsed", async () => {
    const { post } = await served();
    const response = await post("/api/plugin/publish", JSON.stringify({ tags: wrong(3_300_000) }));
    expect(response.status).toBe(413);
  });
});

describe("a field that the contract does not have", () => {
  const list = { artifact_type: "List", payload: { items: [] } };

  it.for([
    ["publish", { ...list, visiblity: { kind: "private", agents: [] } }, "visiblity"],
    ["preview", { ...list, tag: ["a"] }, "tag"],
    ["invoke", { agent_id: "chef", inputs: [list], visiblity: { kind: "private", agents: [] } }, "visiblity"],
    ["invoke", { agent_id: "chef", inputs: [{ ...list, tags: [] }] }, "tags"],
    ["cancel", { run_id: "r", correlation: "c" }, "correlation"],
    ["pause", { agent: "chef" }, "agent"],
    ["resume", { agent: "chef" }, "agent"],
    ["answer", { payload: {}, key: "k" }, "key"],
    ["subscribe", { types: ["agent_paused"] }, "types"],
    ["subscribe", { filter: { agent: "chef" } }, "agent"],
  ] as const)("is refused with its name instead of being left out: %s %j", async ([type, body, name]) => {
    const { connect, post, flock } = await served();
    const expected = { code: expect.stringMatching(/^invalid_/), message: expect.stringContaining(`"${name}"`) };
    if (type !== "preview") {
      const raw = await connect();
      raw.sendFrame(JSON.stringify({ id: 1, type, ...(type === "answer" ? { question_id: "q" } : {}), ...body }));
      expect(await raw.message("reply")).toMatchObject({ id: 1, ok: false, error: expected });
    }
    if (type !== "subscribe") {
      const path = type === "answer" ? "questions/q/answer" : type;
      const response = await post(`/api/plugin/${path}`, JSON.stringify(body));
      expect([response.status, await response.json()]).toMatchObject([400, { error: expected }]);
    }
    expect(await flock.store.getByType(List)).toEqual([]);
  });

  it("is ignored in a `ping`, which changes nothing", async () => {
    const { connect } = await served();
    const raw = await connect();
    raw.sendFrame('{"id":1,"type":"ping","sent_at":5}');
    expect(await raw.message("reply")).toMatchObject({ id: 1, ok: true });
  });
});

describe("a query parameter that is given twice", () => {
  it.for(["since", "epoch", "types", "agents", "artifact_types", "correlation_id", "run_id"])(
    "is refused with a sentence: %s",
    async (name) => {
      const { server } = await served();
      for (const path of ["ws", "events"]) {
        const response = await fetch(`${server.url}/plugin/${path}?${name}=1&${name}=2`);
        expect([response.status, await response.json()]).toMatchObject([
          400,
          { error: { message: expect.stringMatching(`^${name}: must be given once`), issues: [{ path: [name] }] } },
        ]);
      }
    },
  );
});

describe("a publish over HTTP", () => {
  it("with a number that JSON cannot keep is refused with its path", async () => {
    const { flock, post } = await served();
    flock.register(artifact("Anything", z.unknown()));
    const response = await post("/api/plugin/publish", '{"artifact_type":"Anything","payload":{"n":[1e400]}}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: "invalid_request", message: expect.stringContaining("payload.n.0: the number 1e400") },
    });
  });

  it("with the idempotency key of another payload gets 409", async () => {
    const { post } = await served();
    const publish = (items: string[]) =>
      post("/api/plugin/publish", JSON.stringify({ artifact_type: "List", payload: { items }, idempotency_key: "k" }));
    expect((await publish(["a"])).ok).toBe(true);
    expect((await publish(["a"])).ok).toBe(true);
    const refused = await publish(["b"]);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ error: { code: "idempotency_conflict" } });
  });
});
