import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { runPython } from "../support/python.ts";
import { startServer } from "../support/server.ts";
import { serveSite } from "../support/site.ts";

const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));
const EXPECTED = [
  "artifact Idea",
  "started pizza_master",
  "output Thinking about ",
  "output truffle",
  "artifact Pizza",
];

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

describe("Client-Side Usage", () => {
  it("a browser's WebSocket on a page of the same host receives all events and the close", async () => {
    await using server = await startServer({ flock: pizzeria() });
    await using site = await serveSite(readFileSync(program("browser-client.html"), "utf8"));
    const address = server.ws().replace("127.0.0.1", "localhost");
    await using opened = await browser.open(`${site.origin}/?server=${encodeURIComponent(address)}`);
    const said = () => opened.page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
    const seen = (last: string) =>
      opened.page.waitForFunction((text) => (globalThis as unknown as { said: string[] }).said.includes(text), last);
    await seen("open");
    await server.flock.publish(Idea({ description: "truffle" }));
    await seen("artifact Pizza");
    await server.server.close();
    await seen("closed");
    expect(await said()).toEqual(["open", ...EXPECTED, "closed"]);
  });

  it("Python's websockets receives the same", async () => {
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
