import { fileURLToPath } from "node:url";
import { StaticFilesServerComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { startNginx } from "../support/nginx.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

/** Waits for a condition that no message reports. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The proxy configuration of the original specification's best practices, which sets no Host header. */
const proxied = (port: number) => `
  location /plugin/ws {
    proxy_pass http://127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
  }`;

describe("Best Practices", () => {
  it("1: the heartbeat keeps an otherwise silent connection open", async () => {
    const component = new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 0.1 });
    await using server = await startServer({ components: [component] });
    const client = await server.connect();
    await client.until(() => client.all("ping").length >= 3, "a third ping");
    expect(server.websocket.connectionCount).toBe(1);
    await client.close();
  });

  it("2: disconnected clients are cleaned up, with or without a close frame", async () => {
    await using server = await startServer();
    const polite = await server.connect();
    await using rude = await RawSocket.open(server.ws());
    await rude.message("hello");
    expect(server.websocket.connectionCount).toBe(2);
    await polite.close();
    await until(() => server.websocket.connectionCount === 1);
    rude.reset();
    await until(() => server.websocket.connectionCount === 0);
  });

  it("3: WebSocket, static files and dashboard work together", async () => {
    await using server = await startServer({
      components: [new WebSocketServerComponent(), new StaticFilesServerComponent({ priority: 99 })],
      dashboard: true,
    });
    expect(await (await server.get("/")).text()).toContain("<title>Flock</title>");
    await (await server.connect()).close();
  });

  it("3: a custom folder replaces the dashboard", async () => {
    const folder = fileURLToPath(new URL("programs", import.meta.url));
    await using server = await startServer({
      components: [new WebSocketServerComponent(), new StaticFilesServerComponent({ folder })],
    });
    expect(await (await server.get("/browser-client.html")).text()).toContain("as the seed shows it");
  });

  it.for([false, true])("4: works behind nginx, with TLS: %s", async (tls) => {
    await using server = await startServer({ flock: pizzeria() });
    await using nginx = await startNginx({ locations: proxied(server.server.port), tls });
    await using client = await RecordingSocket.open(`${nginx.wsUrl}/plugin/ws`, { rejectUnauthorized: false });
    await client.next("hello");
    await server.flock.publish(Idea({ description: "truffle" }));
    await client.next("agent_execution_completed");
    expect(client.events.filter(({ type }) => type === "streaming_output").length).toBeGreaterThan(0);
  });

  it("5: reports the number of connections", async () => {
    await using server = await startServer();
    expect(server.websocket.connectionCount).toBe(0);
    const clients = [await server.connect(), await server.connect()];
    expect(server.websocket.connectionCount).toBe(2);
    for (const client of clients) await client.close();
    await until(() => server.websocket.connectionCount === 0);
  });
});
