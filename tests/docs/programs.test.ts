import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { distOf, PUBLISHED, readManifest } from "../../scripts/packages.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RunningProgram } from "../support/process.ts";
import { runPython } from "../support/python.ts";
import { startServer } from "../support/server.ts";
import { blocksOf, ROOT } from "./documents.ts";
import { temporaryFile, workspaceFolder } from "./program.ts";

const quickStart = blocksOf("README.md", "ts").find(({ flags }) => flags.includes("run"));

describe("the README's quick start", () => {
  it("has at most 30 lines", () => {
    expect(quickStart?.code.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
  });

  // Returns at once when `npm test` has already built these sources.
  beforeAll(() => void execFileSync("node", ["scripts/build.ts"], { cwd: ROOT }), 300_000);

  it("runs on the packages as they are published", async () => {
    await using folder = await workspaceFolder();
    for (const name of PUBLISHED) {
      cpSync(distOf(name), join(folder.path, "node_modules", readManifest(name).name), { recursive: true });
    }
    await writeFile(join(folder.path, "quick-start.ts"), quickStart?.code ?? "");
    await using program = new RunningProgram(["node", "quick-start.ts"], { cwd: folder.path });
    expect(await program.exit(), program.errors).toBe(0);
    // The server delivers all events before it closes the connection.
    expect(program.lines).toEqual(
      expect.arrayContaining([
        "PizzaIdea { description: 'truffle' }",
        "pizza_master: Thinking about truffle…",
        "Pizza { name: 'Pizza truffle', toppings: [ 'truffle', 'mozzarella' ] }",
      ]),
    );
  });
});

describe("the Python client on the page of WebSocketServerComponent", () => {
  it("prints the streams of agents and ends with the server", async () => {
    const [block] = blocksOf("docs/websocket-server-component.md", "python");
    await using server = await startServer({ flock: pizzeria() });
    const code = block?.code.replace("localhost:8000", `127.0.0.1:${server.server.port}`) ?? "";
    await using file = await temporaryFile(code, "py");
    await using python = runPython(file.path);
    await vi.waitFor(() => expect(server.websocket.connectionCount, python.errors).toBe(1), { timeout: 10_000 });
    await server.flock.publish(Idea({ description: "truffle" }));
    await server.flock.runUntilIdle();
    await server.server.close();
    expect(await python.exit(), python.errors).toBe(0);
    expect(python.lines).toEqual(["Thinking about truffle"]);
  });
});
