import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { type ChatRequest, ModelServer, saysJson } from "../support/model-server.ts";
import { RunningProgram } from "../support/process.ts";
import { RecordingSocket } from "../support/recording-socket.ts";

const main = fileURLToPath(new URL("../../examples/newsroom/main.ts", import.meta.url));
const newsroom = (...args: string[]) => new RunningProgram(["node", main, "--no-open", "--data", "none", ...args]);

async function urlOf(program: RunningProgram): Promise<string> {
  return /http:\/\/[\w.:]+/.exec(await program.line(/http:\/\//))?.[0] as string;
}

describe("npm start", () => {
  it("reviews its sample article, serves it, accepts more work, and ends cleanly on Ctrl-C", async () => {
    await using program = newsroom("--port", "0");
    const url = await urlOf(program);
    await program.line(/lighthouse.*reviewed in 2 rounds/);
    expect(await (await fetch(url)).text()).toContain("<title>Flock</title>");
    await using client = await RecordingSocket.open(`${url.replace("http", "ws")}/plugin/ws`);
    await client.next("hello");
    const publish = (payload: object) =>
      fetch(`${url}/api/plugin/publish`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ artifact_type: "Article", payload }),
      });
    await publish({ title: "Tea", text: "# Tea\n\nIt was drunk in 1660 by Samuel Pepys. He liked it." });
    await client.next("artifact_published", ({ artifact_type }) => artifact_type === "Verdict");
    await program.line(/^Tea: reviewed/);
    const refused = await publish({ title: "Nothing", text: "  " });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { issues: [{ path: ["text"] }] } });
    program.signal("SIGINT");
    expect(await program.exit()).toBe(0);
    expect(await client.closed).toMatchObject({ code: 1001 });
  });

  it("uses the model in FLOCK_MODEL for summary and judgement", async () => {
    const isSummariser = ({ body }: ChatRequest) => String(body.messages[0]?.content).includes('"summariser"');
    await using server = await ModelServer.start((response, request) => {
      const answer = isSummariser(request) ? { sentences: ["It counts birds."] } : { missing: ["who counts?"] };
      return saysJson(answer)(response, request);
    });
    const env = { ...process.env, FLOCK_MODEL: "openai/test-model", OPENAI_BASE_URL: server.url };
    await using program = new RunningProgram(["node", main, "--no-open", "--data", "none", "--port", "0"], { env });
    await program.line(/The summariser and the critic use openai\/test-model\./);
    await program.line(/lighthouse.*reviewed in 2 rounds/);
    expect(server.requests.map(isSummariser)).toEqual([true, false]);
  });

  it("explains an unavailable model in one line", async () => {
    const env = { ...process.env, FLOCK_MODEL: "acme/large" };
    await using program = new RunningProgram(["node", main, "--no-open", "--data", "none", "--port", "0"], { env });
    expect(await program.exit()).toBe(1);
    expect(program.errors).toMatch(/^newsroom: Model `acme\/large` is unavailable: unknown provider `acme`.*\n$/);
  });

  it("keeps its blackboard and shows earlier work", async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, "kept", "newsroom.db");
    await using yesterday = newsroom("--port", "0", "--data", data);
    await yesterday.line(/lighthouse.*reviewed/);
    yesterday.signal("SIGKILL");
    await yesterday.exit();
    await using today = newsroom("--port", "0", "--data", data);
    const url = await urlOf(today);
    await today.line(/1 review\./);
    const { artifacts } = (await (await fetch(`${url}/api/v1/plugin/artifacts?type_names=Verdict`)).json()) as {
      artifacts: unknown[];
    };
    expect(artifacts.length).toBeGreaterThanOrEqual(1);
    await using other = newsroom("--port", "0", "--data", data);
    expect(await other.exit()).toBe(1);
    expect(other.errors).toMatch(/another process uses it/);
  });

  it("reviews the given files and reports unreadable ones", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    await writeFile(at("good.md"), "# Good\n\nThis is a short text. It was written by hand.");
    await writeFile(at("binary"), Buffer.from([0x50, 0, 1, 2]));
    await writeFile(at("empty.txt"), " \n");
    await mkdir(at("folder"));
    await using program = newsroom(
      "--port",
      "0",
      at("good.md"),
      at("missing"),
      at("folder"),
      at("binary"),
      at("empty.txt"),
    );
    await program.line(/^Good: reviewed/);
    expect(program.errors.trim().split("\n")).toEqual([
      expect.stringMatching(/missing does not exist$/),
      expect.stringMatching(/folder is a folder/),
      expect.stringMatching(/binary is a binary file/),
      expect.stringMatching(/empty\.txt.*empty/),
    ]);
    program.signal("SIGTERM");
    expect(await program.exit()).toBe(0);
  });

  it.for([
    [["no-such-file.md"], 1, /^newsroom: no-such-file\.md does not exist\n$/],
    [["--port", "abc"], 2, /^newsroom: Invalid --port abc: .*\n$/],
    [["--colour"], 2, /^newsroom: Unknown option '--colour'.*\n$/],
  ] as const)("%s: prints one sentence and exits with %i", async ([args, code, sentence]) => {
    await using program = newsroom(...args);
    expect(await program.exit()).toBe(code);
    expect(program.errors).toMatch(sentence);
  });

  it("port in use: prints one sentence and exits with a non-zero code", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    await using program = newsroom("--port", String(port));
    expect(await program.exit()).toBe(1);
    expect(program.errors).toMatch(new RegExp(`^newsroom: Cannot listen on port ${port} of 127.0.0.1: .*\\n$`));
    other.close();
  });

  it("--help lists the options", async () => {
    await using program = newsroom("--help");
    expect(await program.exit()).toBe(0);
    expect(program.lines.join("\n")).toMatch(/Usage: npm start.*--port/s);
  });
});
