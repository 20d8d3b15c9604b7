import { PUBLIC } from "@flock-ts/protocol";
import type { AgentDefinition } from "./definition.ts";

/** Returns a placeholder for an agent that an earlier process had declared, so that its work can be ended. */
export function undeclaredAgent(name: string): AgentDefinition {
  return {
    name,
    description: "",
    formerNames: [],
    tags: [],
    principal: { kind: "agent", name, labels: [], tenant: undefined },
    visibility: PUBLIC,
    subscriptions: [],
    schedules: new Map(),
    consumes: new Map(),
    publishes: new Map(),
    outputs: undefined,
    concurrency: 1,
    priority: 0,
    instructions: "",
    tools: [],
    context: undefined,
    redaction: undefined,
    run: () => [],
  };
}
