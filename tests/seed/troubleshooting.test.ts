import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { documentedProxy, startNginx } from "../support/nginx.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

describe("Troubleshooting", () => {
  it("connection refused: explains plain HTTP on the WebSocket path, and answers 404 on a wrong path", async () => {
    await using server = await startServer();
    const plain = await server.get("/plugin/ws");
    expect(plain.status).toBe(426);
    expect(await plain.json()).toMatchObject({ error: { message: expect.stringMatching(/ws:\/\//) } });
    expect((await RecordingSocket.refused(server.ws("/ws"))).status).toBe(404);
  });

  it("connection drops: keeps idle connections open through a proxy with heartbeats", async () => {
    const component = new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 0.3 });
    await using server = await startServer({ components: [component] });
    const shortTimeout = documentedProxy(server.server.port).replaceAll("}", "  proxy_read_timeout 1s;\n  }");
    await using nginx = await startNginx({ locations: shortTimeout });
    await using client = await RecordingSocket.open(`${nginx.wsUrl}/plugin/ws`);
    await client.until(() => client.all("ping").length >= 6, "a sixth ping");
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it("no events: delivers an event after one publish", async () => {
    await using server = await startServer({ flock: pizzeria() });
    const client = await server.connect();
    await server.flock.publish(Idea({ description: "truffle" }));
    expect(await client.next("artifact_published")).toMatchObject({ artifact_type: "Idea" });
    await client.close();
  });
});
