import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { Flock, OWNER } from "flock-ts";
import { CORSComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { clientCode } from "../../packages/client/size.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { serveSite } from "../support/site.ts";
import { expect, test } from "./fixtures.ts";

const client = readFileSync(fileURLToPath(new URL("programs/websocket-client.html", import.meta.url)), "utf8");

/** Returns what the page of the WebSocket client has received so far. */
const received = (page: Page) => page.evaluate(() => (globalThis as unknown as { received: string[] }).received);

/** Waits until the page of the WebSocket client has received a line. */
const receives = (page: Page, line: string) =>
  page.waitForFunction((line) => (globalThis as unknown as { received: string[] }).received.includes(line), line);

async function bake({ flock }: TestServer, ...descriptions: readonly string[]): Promise<void> {
  for (const description of descriptions) await flock.publish(Idea({ description }));
  await flock.runUntilIdle();
}

test.describe("a plain WebSocket in a page", () => {
  test("receives every event and the close on the same host", async ({ page }) => {
    await using server = await startServer({ flock: pizzeria() });
    await using site = await serveSite(client);
    const address = server.ws().replace("127.0.0.1", "localhost");
    await page.goto(`${site.origin}/?server=${encodeURIComponent(address)}`);
    await receives(page, "open");
    await server.flock.publish(Idea({ description: "truffle" }));
    await receives(page, "artifact Pizza");
    await server.server.close();
    await receives(page, "closed");
    expect(await received(page)).toEqual([
      "open",
      "artifact Idea",
      "started pizza_master",
      "output Thinking about ",
      "output truffle",
      "artifact Pizza",
      "closed",
    ]);
  });

  for (const isAllowed of [true, false])
    test(`connects from another origin only if allowed (${isAllowed})`, async ({ page }) => {
      await using site = await serveSite(client);
      const cors = new CORSComponent({
        allowOrigins: [isAllowed ? site.origin : "http://localhost:1"],
        allowCredentials: true,
        allowHeaders: ["*"],
      });
      await using server = await startServer({ components: [cors, new WebSocketServerComponent()] });
      // Another host name is another site. The page is on localhost.
      await page.goto(`${site.origin}/?server=${encodeURIComponent(server.ws())}`);
      await receives(page, isAllowed ? "open" : "closed");
      expect(server.websocket.connectionCount).toBe(isAllowed ? 1 : 0);
    });

  test("negotiates compression and receives every event", async ({ page }) => {
    const component = new WebSocketServerComponent({ compression: true });
    await using server = await startServer({ flock: pizzeria(), components: [component] });
    const five = Array.from({ length: 5 }, (_, index) => `truffle ${index}`);
    await bake(server, ...five);
    await page.goto(`${server.url}/openapi.json`);
    const opening = page.evaluate(
      (address) =>
        new Promise<{ extensions: string; seqs: number[] }>((resolve) => {
          const seqs: number[] = [];
          const socket = new WebSocket(address);
          socket.onmessage = ({ data }) => {
            const { seq, timestamp, payload } = JSON.parse(data);
            if (seq && timestamp) seqs.push(seq);
            if (payload?.description === "the last") resolve({ extensions: socket.extensions, seqs });
          };
        }),
      server.ws("/plugin/ws?since=0"),
    );
    await expect.poll(() => server.websocket.connectionCount).toBe(1);
    await bake(server, ...five);
    const { seq } = await server.flock.publish(Idea({ description: "the last" }));
    const { extensions, seqs } = await opening;
    expect(extensions).toContain("permessage-deflate");
    expect(seqs).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  });
});

test.describe("an EventSource in a page", () => {
  test("resumes after a server restart without missing an event", async ({ page }) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    const first = await startServer({ flock: pizzeria(await Flock.open({ store: sqliteStore(file) })) });
    const port = Number(new URL(first.url).port);
    await page.goto(`${first.url}/openapi.json`);
    await page.evaluate(() => {
      const seen: { seq: number }[] = [];
      Object.assign(window, { seen });
      const source = new EventSource("/plugin/events?since=0");
      source.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.timestamp && message.seq) seen.push(message);
      };
    });
    const seen = () => page.evaluate(() => (window as unknown as { seen: { seq: number }[] }).seen);
    const expectAll = async (server: TestServer) => {
      const { events } = (await (await server.get("/plugin/events?limit=1000")).json()) as { events: object[] };
      await expect.poll(seen).toEqual(events);
    };
    await bake(first, "truffle");
    await expectAll(first);
    await first[Symbol.asyncDispose]();

    const flock = pizzeria(await Flock.open({ store: sqliteStore(file) }));
    await flock.publish(Idea({ description: "published while the server was down" }));
    await flock.runUntilIdle();
    await using second = await startServer({ flock, port });
    await bake(second, "ham");
    await expectAll(second);
  });
});

test.describe("the JavaScript client in a page", () => {
  /** Runs the client in a page of the server, and returns its states until it is closed or live. */
  const statesOf = (page: Page, code: string, url: string) =>
    page.evaluate(
      async ([source, address]) => {
        const { connect } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        const client = connect(address, { backoff: { minMs: 1, maxMs: 5 } });
        await new Promise<void>((resolve) => {
          client.subscribe(() => ["closed", "live"].includes(client.state.status) && resolve());
        });
        return { status: client.state.status, code: client.state.code, reason: client.state.reason };
      },
      [code, url] as const,
    );

  test("closes with the reason that the browser hides, and connects with credentials in cookies", async ({ page }) => {
    const code = await clientCode();
    await using flock = pizzeria();
    const principal = ({ headers }: IncomingMessage) => (headers.cookie === "session=kim" ? OWNER : undefined);
    const { url } = await flock.serve({ components: [new WebSocketServerComponent()], port: 0, principal });
    await page.goto(`${url}/openapi.json`);
    expect(await statesOf(page, code, "/plugin/ws")).toMatchObject({ status: "closed", code: "not_authenticated" });
    await page.context().addCookies([{ name: "session", value: "kim", url }]);
    expect(await statesOf(page, code, "/plugin/ws")).toEqual({ status: "live", code: null, reason: null });
    expect(await statesOf(page, code, "/plugin/wss")).toEqual({
      status: "closed",
      code: "not_found",
      reason: expect.stringMatching(/^Not found: /),
    });
    expect(await statesOf(page, code, "/plugin/ws?since=x")).toMatchObject({
      status: "closed",
      code: "invalid_request",
      reason: expect.stringMatching(/since/),
    });
  });
});
