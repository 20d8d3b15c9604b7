import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { runPython } from "../support/python.ts";
import { startServer } from "../support/server.ts";

const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));
const EXPECTED = [
  "artifact Idea",
  "started pizza_master",
  "output Thinking about ",
  "output truffle",
  "artifact Pizza",
];

describe("Client-Side Usage", () => {
  it("delivers every event and the close to Python's websockets", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await using python = runPython(program("client.py"), [server.ws()]);
    await python.line(/^open$/);
    await server.flock.publish(Idea({ description: "truffle" }));
    await python.line(/^artifact Pizza$/);
    await server.server.close();
    expect(await python.exit()).toBe(0);
    expect(python.lines.map((line) => line.trimEnd())).toEqual(
      ["open", ...EXPECTED, "closed"].map((line) => line.trimEnd()),
    );
  });
});
