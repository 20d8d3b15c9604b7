import { cpSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { buildPackage, distOf, PUBLISHED } from "../../scripts/package-build.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RunningProgram } from "../support/process.ts";
import { runPython } from "../support/python.ts";
import { startServer } from "../support/server.ts";
import { blocksOf } from "./documents.ts";
import { temporaryFile, workspaceFolder } from "./program.ts";

const quickStart = blocksOf("README.md", "ts").find(({ flags }) => flags.includes("run"));

describe("README quick start", () => {
  it("has at most 30 lines", () => {
    expect(quickStart?.code.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
  });

  it("runs on the published form of the packages", async () => {
    await using folder = await workspaceFolder();
    for (const name of PUBLISHED) {
      buildPackage(name);
      const installed = name === "flock" ? "flock-ts" : `@flock-ts/${name}`;
      cpSync(distOf(name), join(folder.path, "node_modules", installed), { recursive: true });
    }
    await writeFile(join(folder.path, "quick-start.ts"), quickStart?.code ?? "");
    await using program = new RunningProgram(["node", "quick-start.ts"], { cwd: folder.path });
    expect(await program.exit(), program.errors).toBe(0);
    // The client receives everything before the server's close notice.
    expect(program.lines).toEqual(
      expect.arrayContaining([
        "PizzaIdea { description: 'truffle' }",
        "pizza_master: Thinking about truffle…",
        "Pizza { name: 'Pizza truffle', toppings: [ 'truffle', 'mozzarella' ] }",
      ]),
    );
  });
});

describe("Python example of the component's page", () => {
  it("prints streamed output and ends with the server", async () => {
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
