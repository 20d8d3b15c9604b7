import { describe, expect, it } from "vitest";
import { pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

describe("Related Components", () => {
  it("streams events of a publish over HTTP, and reports agents and artifacts", async () => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    const client = await server.connect();
    const response = await fetch(`${server.url}/api/plugin/publish`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ artifact_type: "Idea", payload: { description: "truffle" } }),
    });
    expect(await response.json()).toMatchObject({ triggered_agents: ["pizza_master"] });
    await client.next("agent_execution_completed");
    const { agents } = await (await server.get("/api/v1/plugin/agents")).json();
    expect(agents).toMatchObject([{ name: "pizza_master", counters: { succeeded: 1 } }]);
    const { artifacts } = await (await server.get("/api/v1/plugin/artifacts?type_names=Pizza")).json();
    expect(artifacts).toMatchObject([{ payload: { name: "Pizza with truffle" } }]);
    await client.close();
  });
});
