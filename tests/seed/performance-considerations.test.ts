import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

const Topic = artifact("Topic", z.object({ length: z.int() }));
const Text = artifact("Text", z.object({ text: z.string() }));

describe("Performance Considerations", () => {
  it("limits connections only if maxConnections is set", async () => {
    await using server = await startServer({ components: [new WebSocketServerComponent({ maxConnections: 2 })] });
    const clients = [await server.connect(), await server.connect()];
    expect(await RecordingSocket.refused(server.ws())).toMatchObject({ status: 503 });
    for (const client of clients) await client.close();
    expect(new WebSocketServerComponent().config.maxConnections).toBeUndefined();
  });

  it("streams large output in chunks that never split a character", async () => {
    const flock = new Flock();
    const letters = "👩‍🚀 größer ";
    flock
      .agent("writer")
      .consumes(Topic)
      .run(async function* ({ Topic: { length } }) {
        yield letters.repeat(Math.ceil(length / letters.length));
      });
    await using server = await startServer({ flock });
    const client = await server.connect("/plugin/ws?types=streaming_output");
    await flock.publish(Topic({ length: 500_000 }));
    await flock.runUntilIdle();
    const text = () => client.events.map((event) => (event.type === "streaming_output" ? event.content : "")).join("");
    await client.until(() => text().length >= 500_000, "the whole text");
    expect(client.events.length).toBeGreaterThan(5);
    expect(text()).toBe(letters.repeat(Math.ceil(500_000 / letters.length)));
    for (const event of client.events) {
      expect(event.type === "streaming_output" && event.content.isWellFormed()).toBe(true);
    }
    await client.close();
  });

  it("omits a large payload from its event and serves it over HTTP", async () => {
    const flock = new Flock().register(Text);
    await using server = await startServer({ flock, components: [], dashboard: true });
    const client = await server.connect();
    await flock.publish(Text({ text: "x".repeat(1_000_000) }));
    const event = await client.next("artifact_published");
    expect(event.payload).toBeUndefined();
    expect(event.payload_bytes).toBeGreaterThan(1_000_000);
    const artifact = await (await server.get(`/api/v1/plugin/artifacts/${event.artifact_id}`)).json();
    expect(artifact.payload.text).toHaveLength(1_000_000);
    await client.close();
  });
});
