import { z } from "zod";

/** The id of the node that stands for publishers outside the flock. */
export const EXTERNAL = "external";

/** What an agent is doing, as the events tell it. */
export const agentStatusSchema = z.enum(["idle", "running", "error"]);

/** How an agent's circuit breaker stands. */
export const circuitStateSchema = z
  .enum(["closed", "open", "half_open"])
  .describe("closed: it runs. open: it is left alone. half_open: one run tries whether it works again.");

/** A node of the flow graph: an agent, or the world outside the flock. */
export const graphNodeSchema = z
  .object({
    id: z.string().describe("The agent's name, or `external`."),
    type: z.enum(["agent", "external"]),
    label: z.string(),
    description: z.string().optional(),
    consumes: z.array(z.string()).describe("Names of the artifact types it consumes."),
    publishes: z.array(z.string()).describe("Names of the artifact types it publishes."),
  })
  .meta({ id: "GraphNode" });

/** An edge of the flow graph: artifacts of one type flow from `source` to `target`. */
export const graphEdgeSchema = z
  .object({
    id: z.string(),
    source: z.string(),
    target: z.string(),
    artifact_type: z.string(),
  })
  .meta({ id: "GraphEdge" });

/** How often an agent has run, and how that ended. */
export const agentCountersSchema = z
  .object({
    started: z.int(),
    succeeded: z.int(),
    failed: z.int().describe("Runs that ended in any other way than success."),
    running: z.int(),
    consumed: z.int().describe("Artifacts consumed, over all runs."),
    published: z.int().describe("Artifacts published, over all runs."),
    duration_ms: z.number().describe("Total time of the ended runs, in ms."),
  })
  .meta({ id: "AgentCounters" });

/** A node as a snapshot shows it: what it is, and how it is doing. */
export const graphSnapshotNodeSchema = graphNodeSchema
  .extend({
    status: agentStatusSchema,
    counters: agentCountersSchema,
    paused: z.literal(true).optional().describe("Absent when the agent is not paused."),
    circuit: circuitStateSchema.exclude(["closed"]).optional().describe("Absent while the agent runs as usual."),
  })
  .meta({ id: "GraphSnapshotNode" });

/** The graph with status and counters, and the `seq` it stands at. */
export const graphSnapshotSchema = z
  .object({
    nodes: z.array(graphSnapshotNodeSchema),
    edges: z.array(graphEdgeSchema),
    seq: z.int().describe("Every event up to this seq is counted in, none after it."),
  })
  .meta({ id: "GraphSnapshot" });

export type CircuitState = z.infer<typeof circuitStateSchema>;
export type AgentStatus = z.infer<typeof agentStatusSchema>;
export type AgentCounters = z.infer<typeof agentCountersSchema>;
export type GraphNode = z.infer<typeof graphNodeSchema>;
export type GraphEdge = z.infer<typeof graphEdgeSchema>;
export type GraphSnapshotNode = z.infer<typeof graphSnapshotNodeSchema>;
export type GraphSnapshot = z.infer<typeof graphSnapshotSchema>;

/** What the topology needs to know of an agent. */
export interface DeclaredAgent {
  readonly agent_id: string;
  readonly description?: string | undefined;
  readonly consumes: readonly string[];
  readonly publishes: readonly string[];
}

/**
 * The flow graph of some agents, from what they declare: an edge for each pair of a producer and a
 * consumer of the same artifact type. A type that somebody consumes and nobody publishes comes from
 * the `external` node, which exists only when there is such a type.
 */
export function topologyOf(agents: Iterable<DeclaredAgent>): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes: GraphNode[] = [];
  const producers = new Map<string, string[]>();
  const consumers = new Map<string, string[]>();
  for (const agent of agents) {
    nodes.push({
      id: agent.agent_id,
      type: "agent",
      label: agent.agent_id,
      ...(agent.description ? { description: agent.description } : {}),
      consumes: [...agent.consumes],
      publishes: [...agent.publishes],
    });
    for (const type of new Set(agent.publishes)) listOf(producers, type).push(agent.agent_id);
    for (const type of new Set(agent.consumes)) listOf(consumers, type).push(agent.agent_id);
  }
  const edges: GraphEdge[] = [];
  const fromOutside: string[] = [];
  for (const [type, targets] of consumers) {
    const sources = producers.get(type) ?? [EXTERNAL];
    if (!producers.has(type)) fromOutside.push(type);
    for (const source of sources) {
      for (const target of targets) {
        edges.push({ id: `${source}→${target}:${type}`, source, target, artifact_type: type });
      }
    }
  }
  if (fromOutside.length > 0) {
    nodes.unshift({ id: EXTERNAL, type: "external", label: EXTERNAL, consumes: [], publishes: fromOutside });
  }
  return { nodes, edges };
}

function listOf(lists: Map<string, string[]>, key: string): string[] {
  let list = lists.get(key);
  if (!list) lists.set(key, (list = []));
  return list;
}
