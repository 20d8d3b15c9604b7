import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CORSComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { startNginx } from "../support/nginx.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";
import { serveSite } from "../support/site.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser({ anyCertificate: true });
});
afterAll(() => browser[Symbol.asyncDispose]());

const page = readFileSync(fileURLToPath(new URL("programs/browser-client.html", import.meta.url)), "utf8");

/** The proxy configuration of the original specification's section on deployment. */
const proxied = (port: number) => `
  location / {
    proxy_pass http://127.0.0.1:${port};
    proxy_set_header Host $host;
  }
  location /plugin/ws {
    proxy_pass http://127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
    proxy_cache_bypass $http_upgrade;
  }`;

describe("Troubleshooting", () => {
  it("connection refused: plain HTTP on the right path explains what to do, a wrong path returns 404", async () => {
    await using server = await startServer();
    const plain = await server.get("/plugin/ws");
    expect(plain.status).toBe(426);
    expect(await plain.json()).toMatchObject({ error: { message: expect.stringMatching(/ws:\/\//) } });
    expect((await RecordingSocket.refused(server.ws("/ws"))).status).toBe(404);
  });

  it("connection drops: a heartbeat keeps an idle connection open through a proxy with an idle timeout", async () => {
    const component = new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 0.3 });
    await using server = await startServer({ components: [component] });
    const impatient = proxied(server.server.port).replaceAll("}", "  proxy_read_timeout 1s;\n  }");
    await using nginx = await startNginx({ locations: impatient });
    await using client = await RecordingSocket.open(`${nginx.wsUrl}/plugin/ws`);
    await client.until(() => client.all("ping").length >= 6, "a sixth ping");
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it("no events: publishing one artifact is enough to receive one", async () => {
    await using server = await startServer({ flock: pizzeria() });
    const client = await server.connect();
    await server.flock.publish(Idea({ description: "truffle" }));
    expect(await client.next("artifact_published")).toMatchObject({ artifact_type: "Idea" });
    await client.close();
  });

  it.for([true, false])("CORS: a page of another origin may connect when allowed: %s", async (allowed) => {
    await using site = await serveSite(page);
    const cors = new CORSComponent({
      allowOrigins: [allowed ? site.origin : "http://localhost:1"],
      allowCredentials: true,
      allowHeaders: ["*"],
    });
    await using server = await startServer({ components: [cors, new WebSocketServerComponent()] });
    // Another host name is another site: the page is on localhost.
    await using opened = await browser.open(`${site.origin}/?server=${encodeURIComponent(server.ws())}`);
    const expected = allowed ? "open" : "closed";
    await opened.page.waitForFunction(
      (text) => (globalThis as unknown as { said: string[] }).said.includes(text),
      expected,
    );
    expect(server.websocket.connectionCount).toBe(allowed ? 1 : 0);
  });

  it.for([false, true])("deployment: the dashboard works behind nginx, with TLS: %s", async (tls) => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await using nginx = await startNginx({ locations: proxied(server.server.port), tls });
    await using opened = await browser.open(`${nginx.url}/runs`);
    await opened.page.getByRole("status").getByText("Live").waitFor();
    await server.flock.publish(Idea({ description: "truffle" }));
    await opened.page.getByText("Thinking about truffle").waitFor();
  });
});
