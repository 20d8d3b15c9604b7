import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

describe("Configuration", () => {
  it("fields have the specified names and defaults", async () => {
    const { config } = new WebSocketServerComponent();
    expect(config).toMatchObject({
      prefix: "/plugin/",
      tags: ["WebSocket"],
      heartbeatInterval: 120,
      enableHeartbeat: false,
    });
  });

  it("tags group the endpoint in the API documents", async () => {
    await using server = await startServer({
      components: [new WebSocketServerComponent({ tags: ["Real-time", "Dashboard"] })],
    });
    const document = await (await server.get("/asyncapi.json")).json();
    expect(document.channels.events.tags).toEqual([{ name: "Real-time" }, { name: "Dashboard" }]);
  });

  it("sends no heartbeat when it is disabled", async () => {
    await using server = await startServer();
    const client = await server.connect();
    expect(client.messages[0]).toMatchObject({ type: "hello", heartbeat_interval: null });
    await client.close();
  });

  it("rejects an invalid value by name", () => {
    expect(() => new WebSocketServerComponent({ heartbeatInterval: "30" as never })).toThrow(/heartbeatInterval/);
  });

  it("a custom prefix replaces the default endpoint", async () => {
    await using server = await startServer({ components: [new WebSocketServerComponent({ prefix: "/realtime" })] });
    const client = await server.connect("/realtime/ws");
    await client.close();
    expect(await RecordingSocket.refused(server.ws("/plugin/ws"))).toMatchObject({ status: 404 });
  });
});
