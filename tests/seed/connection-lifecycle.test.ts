import { describe, expect, it } from "vitest";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

describe("Connection Lifecycle", () => {
  it("counts clients, sends all of them the same events, and frees closed connections", async () => {
    await using server = await startServer({ flock: pizzeria() });
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    expect(server.websocket.connectionCount).toBe(5);
    await server.flock.publish(Idea({ description: "truffle" }));
    for (const client of clients) await client.next("agent_execution_completed");
    const [first, ...others] = clients.map(({ events }) => events);
    expect(first?.length).toBeGreaterThan(4);
    for (const events of others) expect(events).toEqual(first);
    for (const client of clients) expect(await client.close()).toMatchObject({ code: 1000 });
    await until(() => server.websocket.connectionCount === 0, { describe: "the end of all connections" });
  });
});
