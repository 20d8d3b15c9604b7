import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

describe("Configuration", () => {
  it("has the specified option names and defaults", async () => {
    const { config } = new WebSocketServerComponent();
    expect(config).toMatchObject({
      prefix: "/plugin/",
      tags: ["WebSocket"],
      heartbeatInterval: 120,
      enableHeartbeat: false,
    });
  });

  it("groups the endpoint by its tags in the API document", async () => {
    await using server = await startServer({
      components: [new WebSocketServerComponent({ tags: ["Real-time", "Dashboard"] })],
    });
    const document = await (await server.get("/asyncapi.json")).json();
    expect(document.channels.events.tags).toEqual([{ name: "Real-time" }, { name: "Dashboard" }]);
  });

  it("reports no heartbeat interval when the heartbeat is off", async () => {
    await using server = await startServer();
    const client = await server.connect();
    expect(client.messages[0]).toMatchObject({ type: "hello", heartbeat_interval: null });
    await client.close();
  });

  it("rejects an invalid value and names the option", () => {
    expect(() => new WebSocketServerComponent({ heartbeatInterval: "30" as never })).toThrow(/heartbeatInterval/);
  });

  it("moves the endpoint with the prefix and removes the default one", async () => {
    await using server = await startServer({ components: [new WebSocketServerComponent({ prefix: "/realtime" })] });
    const client = await server.connect("/realtime/ws");
    await client.close();
    expect(await RecordingSocket.refused(server.ws("/plugin/ws"))).toMatchObject({ status: 404 });
  });
});
