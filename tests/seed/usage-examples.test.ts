import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { startServer } from "../support/server.ts";

describe("Usage Examples", () => {
  it("1: serves /plugin/ws by default, together with the dashboard", async () => {
    await using server = await startServer({ components: [new WebSocketServerComponent()], dashboard: true });
    const client = await server.connect("/plugin/ws");
    expect(await (await server.get("/")).text()).toContain("<title>Flock</title>");
    expect(await (await server.get("/dashboard-config.json")).json()).toMatchObject({ websocket: "/plugin/ws" });
    await client.close();
  });

  it("2: serves /api/ws/ws for the prefix /api/ws", async () => {
    const component = new WebSocketServerComponent({ prefix: "/api/ws", heartbeatInterval: 60, enableHeartbeat: true });
    await using server = await startServer({ components: [component] });
    const client = await server.connect("/api/ws/ws");
    expect(client.messages[0]).toMatchObject({ type: "hello", heartbeat_interval: 60 });
    await client.close();
  });

  it("3: runs in production with a 30 s heartbeat, custom tags and the dashboard", async () => {
    const component = new WebSocketServerComponent({
      prefix: "/realtime",
      heartbeatInterval: 30,
      enableHeartbeat: true,
      tags: ["Real-time", "Dashboard"],
    });
    await using server = await startServer({ components: [component], dashboard: true });
    const client = await server.connect("/realtime/ws");
    expect(client.messages[0]).toMatchObject({ type: "hello", heartbeat_interval: 30 });
    expect(await (await server.get("/dashboard-config.json")).json()).toMatchObject({ websocket: "/realtime/ws" });
    await client.close();
  });
});
