import { fileURLToPath } from "node:url";
import { StaticFilesServerComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { startNginx } from "../support/nginx.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

/** The proxy configuration of the original specification's best practices, which does not forward `Host`. */
const proxied = (port: number) => `
  location /plugin/ws {
    proxy_pass http://127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
  }`;

describe("Best Practices", () => {
  it("1: keeps an idle connection open with heartbeats", async () => {
    const component = new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 0.1 });
    await using server = await startServer({ components: [component] });
    const client = await server.connect();
    await client.until(() => client.all("ping").length >= 3, "a third ping");
    expect(server.websocket.connectionCount).toBe(1);
    await client.close();
  });

  it("2: frees a connection after a clean close and after a reset", async () => {
    await using server = await startServer();
    const clean = await server.connect();
    await using abrupt = await RawSocket.open(server.ws());
    await abrupt.message("hello");
    expect(server.websocket.connectionCount).toBe(2);
    await clean.close();
    await until(() => server.websocket.connectionCount === 1, { describe: "the clean close" });
    abrupt.reset();
    await until(() => server.websocket.connectionCount === 0, { describe: "the end of the reset connection" });
  });

  it("3: serves the WebSocket, static files and the dashboard together", async () => {
    await using server = await startServer({
      components: [new WebSocketServerComponent(), new StaticFilesServerComponent({ priority: 99 })],
      dashboard: true,
    });
    expect(await (await server.get("/")).text()).toContain("<title>Flock</title>");
    await (await server.connect()).close();
  });

  it("3: serves a custom folder instead of the dashboard", async () => {
    const folder = fileURLToPath(new URL("../dashboard/programs", import.meta.url));
    await using server = await startServer({
      components: [new WebSocketServerComponent(), new StaticFilesServerComponent({ folder })],
    });
    expect(await (await server.get("/websocket-client.html")).text()).toContain("of the original specification");
  });

  it.for([false, true])("4: streams events through nginx (TLS: %s)", async (tls) => {
    await using server = await startServer({ flock: pizzeria() });
    await using nginx = await startNginx({ locations: proxied(server.server.port), tls });
    await using client = await RecordingSocket.open(`${nginx.wsUrl}/plugin/ws`, { rejectUnauthorized: false });
    await client.next("hello");
    await server.flock.publish(Idea({ description: "truffle" }));
    await client.next("agent_execution_completed");
    expect(client.events.filter(({ type }) => type === "streaming_output").length).toBeGreaterThan(0);
  });

  it("5: counts open connections", async () => {
    await using server = await startServer();
    expect(server.websocket.connectionCount).toBe(0);
    const clients = [await server.connect(), await server.connect()];
    expect(server.websocket.connectionCount).toBe(2);
    for (const client of clients) await client.close();
    await until(() => server.websocket.connectionCount === 0, { describe: "the end of all connections" });
  });
});
