import { Flock, type FlockError, type RunEnd } from "flock-ts";
import { resolveModel } from "flock-ts/engines/ai";
import { type McpHttpOptions, type McpStdioOptions, type McpTools, mcpTools } from "flock-ts/tools/mcp";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ROOT } from "../docs/documents.ts";
import { temporaryFile } from "../docs/program.ts";
import { HttpMcpServer, PIXEL, sessions, stateless, toolState } from "../support/mcp-server.ts";
import { type Answer, callsTool, ModelServer, saysJson } from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { RunningProgram } from "../support/process.ts";

const PROGRAM = `${import.meta.dirname}/programs/mcp-server.ts`;
const PIZZA = { name: "Tartufo", toppings: ["truffle"] };

/** Creates tools that are closed after the test. */
function ending<T extends AsyncDisposable>(tools: T): T {
  onTestFinished(() => tools[Symbol.asyncDispose]() as Promise<void>);
  return tools;
}

const stdio = (options: Partial<McpStdioOptions> = {}, behaviour = "well") =>
  ending(mcpTools({ name: "test", command: process.execPath, args: [PROGRAM, behaviour], allow: "*", ...options }));

const http = (url: string, options: Partial<McpHttpOptions> = {}) =>
  ending(mcpTools({ name: "test", url, allow: "*", ...options }));

const soon = (holds: () => void | Promise<void>) => vi.waitFor(holds, { timeout: 20_000 });

const failureOf = async (promise: Promise<unknown>): Promise<FlockError> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error) => error as FlockError,
  );

describe.for<[string, () => Promise<McpTools>]>([
  ["a program", async () => stdio()],
  ["a program that knows only the protocol of 2026", async () => stdio({}, "modern")],
  ["a program that prints something first", async () => stdio({}, "noisy")],
  ["a server on the network", async () => http(ending(await HttpMcpServer.start(stateless(toolState()))).url)],
  ["a server with sessions", async () => http(ending(await HttpMcpServer.start(sessions(toolState()))).url)],
])("calling a tool of %s", ([, make]) => {
  it("returns texts, data and parts", async () => {
    const tools = await make();
    expect(await tools.call("echo", { text: "hello" })).toMatchObject({ text: "hello", structured: undefined });
    expect(await tools.call("measure")).toMatchObject({ text: '{"grams":12}', structured: { grams: 12 } });
    const { text, content } = await tools.call("picture");
    expect(text).toMatch(/^see\n\[image, image\/png, \d+ bytes\]\n\[resource a\.txt: file:\/\/\/a\.txt\]\ninside b$/);
    expect(content[1]).toMatchObject({ data: PIXEL });
    expect((await tools.call("big")).text).toHaveLength(200_000);
  });

  it("reports errors of the tool, the arguments and the name", async () => {
    const tools = await make();
    const message = async (tool: string, input = {}) => {
      const { code, message } = await failureOf(tools.call(tool, input));
      return `${code}: ${message}`;
    };
    expect(await message("fail")).toBe("tool_failed: Tool `fail` of MCP server `test` failed: the disk is full");
    expect(await message("throw")).toMatch(/^tool_failed: Tool `throw` of MCP server `test` failed: .*it broke/);
    expect(await message("echo", { text: 1 })).toMatch(/^tool_failed: .*text/s);
    expect(await message("nowhere")).toMatch(
      /^tool_unknown: Tool `nowhere` .*MCP server `test` does not have it.*echo/,
    );
  });

  it("can be cancelled, which notifies the server", async () => {
    const tools = await make();
    const abort = new AbortController();
    const call = failureOf(tools.call("wait", {}, { signal: abort.signal }));
    await soon(async () => expect((await tools.call("state")).text).toContain("wait"));
    abort.abort(new Error("changed my mind"));
    expect((await call).message).toBe("changed my mind");
    await soon(async () => expect((await tools.call("state")).text).toContain('"cancelled":1'));
    expect(await failureOf(tools.call("wait", {}, { timeout: 50 }))).toMatchObject({
      code: "tool_failed",
      message: expect.stringMatching(/`wait` of MCP server `test` failed: it timed out.*callTimeout/),
    });
  });

  it("works under its new name after a rename", async () => {
    const tools = await make();
    const names = async () => (await tools.list()).map(({ name }) => name);
    expect(await names()).toContain("echo");
    await tools.call("rename");
    expect(await names()).toContain("say");
    expect(await names()).not.toContain("echo");
    expect(await failureOf(tools.call("echo", { text: "x" }))).toMatchObject({ code: "tool_unknown" });
    expect((await tools.call("say", { text: "x" })).text).toBe("x");
  });

  it("fails after close", async () => {
    const tools = await make();
    await tools.call("echo", { text: "x" });
    const waiting = failureOf(tools.call("wait"));
    await soon(async () => expect((await tools.call("state")).text).toContain("wait"));
    await tools.close();
    expect(await waiting).toMatchObject({ code: "tool_server_unavailable" });
    expect(await failureOf(tools.call("echo", { text: "x" }))).toMatchObject({
      code: "tool_server_unavailable",
      message: expect.stringContaining("has been closed"),
    });
  });
});

describe("tool that is not allowed", () => {
  it("is neither listed nor called, and the server receives no request", async () => {
    const state = toolState();
    await using server = await HttpMcpServer.start(stateless(state));
    const tools = http(server.url, { allow: ["echo", "state"] });
    expect((await tools.list()).map(({ name }) => name)).toEqual(["echo", "state"]);
    for (const name of ["fail", "rename", "nowhere", "__proto__"]) {
      expect(await failureOf(tools.call(name))).toMatchObject({
        code: "tool_not_allowed",
        message: expect.stringContaining("`allow`"),
      });
    }
    expect(state.calls).toEqual([]);
  });

  it("cannot exist without `allow`, which is required", () => {
    expect(() => mcpTools({ name: "a", command: "b" } as never)).toThrow(
      /mcpTools: allow: must be a list of tool names/,
    );
    expect(() => mcpTools({ name: "a_b", url: "ftp://x", allow: [] })).toThrow(/name: .*; url: must be a URL/);
  });
});

describe("program", () => {
  it("receives only named and standard environment variables", async () => {
    vi.stubEnv("MY_SECRET", "1");
    onTestFinished(() => void vi.unstubAllEnvs());
    const seen = (await stdio({ env: { NAMED: "1" } }).call("environment")).text.split(",");
    expect(seen).toContain("PATH");
    expect(seen).toContain("NAMED");
    expect(seen).not.toContain("MY_SECRET");
  });

  it("that exits during a call fails it, and is restarted for the next one", async () => {
    const tools = stdio();
    await tools.call("echo", { text: "x" });
    expect(await failureOf(tools.call("die"))).toMatchObject({
      code: "tool_server_unavailable",
      message: expect.stringMatching(/lost during `die`, which may or may not have completed/),
    });
    expect((await tools.call("echo", { text: "again" })).text).toBe("again");
  });

  it("that exits at startup is reported with its error, without secrets, and not restarted immediately", async () => {
    const tools = stdio({}, "dies");
    const first = await failureOf(tools.call("echo"));
    expect(first.code).toBe("tool_server_unavailable");
    expect(first.message).toMatch(
      /MCP server `test` .*mcp-server\.ts dies` does not respond.*cannot open the database, token \[redacted\]/s,
    );
    expect(await failureOf(tools.call("echo"))).toBe(first);
  });

  it.for(["silent", "rubbish"])("that is %s is abandoned after connectTimeout", async (behaviour) => {
    const { code, message } = await failureOf(stdio({ connectTimeout: 800 }, behaviour).call("echo"));
    expect(code).toBe("tool_server_unavailable");
    expect(message).toMatch(/does not respond like an MCP server/);
  });

  it("that does not exist is named", async () => {
    const { message } = await failureOf(stdio({ command: "no-such-program" }).list());
    expect(message).toBe(
      `MCP server \`test\` is unavailable: no program \`no-such-program\`, or no directory \`${process.cwd()}\``,
    );
  });

  it("with an endless response is ended and restarted", async () => {
    const tools = stdio();
    expect(await failureOf(tools.call("huge"))).toMatchObject({ code: "tool_server_unavailable" });
    expect((await tools.call("echo", { text: "x" })).text).toBe("x");
  });
});

describe("server on the network", () => {
  it("receives the given headers", async () => {
    await using server = await HttpMcpServer.start(stateless(toolState()));
    await http(server.url, { headers: { authorization: "Bearer t" } }).call("echo", { text: "x" });
    expect(server.requests.every(({ authorization }) => authorization === "Bearer t")).toBe(true);
  });

  it.for([stateless, sessions])("continues after a restart, with or without sessions", async (kind) => {
    await using server = await HttpMcpServer.start(kind(toolState()));
    const tools = http(server.url);
    await tools.call("echo", { text: "x" });
    server.becomes(kind(toolState()));
    expect((await tools.call("echo", { text: "y" })).text).toBe("y");
  });

  it("that disconnects during a call fails it, and is called again for the next one", async () => {
    const state = toolState();
    await using server = await HttpMcpServer.start(stateless(state));
    const tools = http(server.url);
    state.die = () => server.cut();
    expect(await failureOf(tools.call("die"))).toMatchObject({ code: "tool_server_unavailable" });
    expect((await tools.call("echo", { text: "y" })).text).toBe("y");
  });

  it.for<[string, () => Response]>([
    ["rubbish", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["broken JSON", () => new Response("{", { headers: { "content-type": "application/json" } })],
    ["no", () => new Response("who are you?", { status: 401 })],
    ["an error", () => new Response("oh", { status: 500 })],
  ])("that responds with %s is named", async ([, answer]) => {
    await using server = await HttpMcpServer.start(async () => answer());
    const { code, message } = await failureOf(http(server.url, { connectTimeout: 2_000 }).list());
    expect(code).toBe("tool_server_unavailable");
    expect(message).toContain(`MCP server \`test\` is unavailable: \`${server.url}\` cannot be reached`);
  });

  it("that does not exist is named", async () => {
    const { message } = await failureOf(http("http://127.0.0.1:9/mcp").list());
    expect(message).toMatch(/`http:\/\/127\.0\.0\.1:9\/mcp` cannot be reached: /);
  });

  it("with an endless response is aborted", async () => {
    await using server = await HttpMcpServer.start(stateless(toolState()));
    expect((await failureOf(http(server.url).call("huge"))).message).toMatch(/larger than \d+ bytes/);
  });
});

describe("agent with a model", () => {
  /** Creates a chef with these tools and a model with these answers. */
  async function kitchen(tools: McpTools, ...answers: [Answer, ...Answer[]]) {
    const model = await ModelServer.start(...answers);
    onTestFinished(() => model[Symbol.asyncDispose]());
    const flock = ending(new Flock({ model: await resolveModel("openai/test-model", { OPENAI_BASE_URL: model.url }) }));
    flock.use(tools);
    flock.agent("chef").consumes(Idea).publishes(Pizza).tools(tools);
    return {
      model,
      flock,
      cook: async (): Promise<RunEnd> => (await flock.invoke("chef", [Idea({ description: "truffle" })])).done,
      /** Returns the tool's result in the next request. */
      told: (request = 1) => String(model.requests[request]?.body.messages.at(-1)?.content),
      offered: (request = 0) => model.requests[request]?.body.tools?.map((tool) => tool.function.name) ?? [],
    };
  }

  it("gets the allowed tools under the server's name and calls them", async () => {
    const at = await kitchen(
      stdio({ allow: ["echo", "measure"] }),
      callsTool("test_echo", { text: "hello" }),
      saysJson(PIZZA),
    );
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(at.offered()).toEqual(["test_echo", "test_measure"]);
    expect(at.model.requests[0]?.body.tools?.[0]).toMatchObject({
      function: { description: "Says it again", parameters: { type: "object", required: ["text"] } },
    });
    expect(at.told()).toBe("hello");
  });

  it("cannot call tools that are not allowed", async () => {
    const state = toolState();
    await using server = await HttpMcpServer.start(stateless(state));
    const at = await kitchen(http(server.url, { allow: ["echo"] }), callsTool("test_rename", {}), saysJson(PIZZA));
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(at.offered()).toEqual(["test_echo"]);
    expect(state.calls).toEqual([]);
  });

  it("receives an error when a tool fails or its server ends, and may continue", async () => {
    const at = await kitchen(
      stdio(),
      callsTool("test_fail", {}),
      callsTool("test_die", {}),
      callsTool("test_echo", { text: "x" }),
      saysJson(PIZZA),
    );
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(at.told(1)).toContain("the disk is full");
    expect(at.told(2)).toContain("the connection was lost during `die`");
    expect(at.told(3)).toBe("x");
  });

  it("gets a tool's new name in the next run", async () => {
    const at = await kitchen(
      stdio({ allow: ["echo", "say", "rename"] }),
      callsTool("test_rename", {}),
      callsTool("test_echo", { text: "x" }),
      saysJson(PIZZA),
    );
    expect(await at.cook()).toMatchObject({ status: "success" });
    expect(at.told(2)).toContain("Tool `echo` was not called");
    await at.cook();
    expect(at.offered(3)).toContain("test_say");
    expect(at.offered(3)).not.toContain("test_echo");
  });

  it("receives at most the allowed characters, and images only on request", async () => {
    const big = await kitchen(stdio({ maxResultCharacters: 100 }), callsTool("test_big", {}), saysJson(PIZZA));
    await big.cook();
    expect(big.told()).toBe(`${"x".repeat(100)}\n[truncated: 100 of 200000 characters; request less]`);
    const blind = await kitchen(stdio(), callsTool("test_picture", {}), saysJson(PIZZA));
    await blind.cook();
    expect(blind.told()).toContain("[image, image/png,");
    expect(JSON.stringify(blind.model.requests)).not.toContain(PIXEL);
    const seeing = await kitchen(stdio({ images: true }), callsTool("test_picture", {}), saysJson(PIZZA));
    await seeing.cook();
    expect(JSON.stringify(seeing.model.requests)).toContain(PIXEL);
  });

  it("cancels its call with its run", async () => {
    const state = toolState();
    await using server = await HttpMcpServer.start(stateless(state));
    const at = await kitchen(http(server.url), callsTool("test_wait", {}), saysJson(PIZZA));
    const { runId, done } = await at.flock.invoke("chef", [Idea({ description: "x" })]);
    await soon(() => expect(state.calls).toEqual(["wait"]));
    await at.flock.cancel({ runId });
    expect(await done).toMatchObject({ status: "cancelled" });
    await soon(() => expect(state.cancelled).toBe(1));
  });

  it("fails in runs, not earlier, while the server is unavailable", async () => {
    const at = await kitchen(http("http://127.0.0.1:9/mcp"), saysJson(PIZZA));
    expect((await at.cook()).error).toMatchObject({
      name: "tool_server_unavailable",
      message: expect.stringContaining("MCP server `test`"),
    });
    expect(at.model.requests).toEqual([]);
  });

  it("does not confuse the tools of two servers", async () => {
    const at = await kitchen(stdio(), saysJson(PIZZA));
    const again = stdio();
    at.flock.agent("sous_chef").consumes(Idea).publishes(Pizza).tools(again).tools(stdio());
    const end = await (await at.flock.invoke("sous_chef", [Idea({ description: "x" })])).done;
    expect(end.error?.message).toMatch(/Invalid tools of agent `sous_chef`: two are called `test_/);
  });

  it("ends the program with the flock", async () => {
    const tools = stdio();
    const at = await kitchen(tools, callsTool("test_echo", { text: "x" }), saysJson(PIZZA));
    await at.cook();
    await at.flock.shutdown();
    expect(await failureOf(tools.call("echo"))).toMatchObject({ message: expect.stringContaining("has been closed") });
  });
});

describe("MCP SDK", () => {
  it("is not required without servers, and otherwise named with the install command", async () => {
    const code = `
      import { mcpTools } from "flock-ts/tools/mcp";
      await mcpTools({ name: "files", command: "x", allow: [] }).list().catch(({ code, message }) => console.log(code, message));
    `;
    await using file = await temporaryFile(code);
    await using program = new RunningProgram(["node", "--import", "./tests/e2e/programs/without.mjs", file.path], {
      cwd: ROOT,
      env: { ...process.env, WITHOUT: "@modelcontextprotocol/client" },
    });
    expect(await program.exit(), program.errors).toBe(0);
    expect(program.lines).toEqual([
      "missing_dependency MCP server `files` cannot be used: a package is not installed. Run `npm install @modelcontextprotocol/client`.",
    ]);
  });
});
