import { z } from "zod";

/** The id of the graph node that represents all publishers outside the flock. */
export const EXTERNAL = "external";

/** Validates the status of an agent. */
export const agentStatusSchema = z.enum(["idle", "running", "error"]);

/** Validates the state of an agent's circuit breaker. */
export const circuitStateSchema = z
  .enum(["closed", "open", "half_open"])
  .describe("closed: runs start as usual. open: no run starts. half_open: one trial run decides.");

/** Validates a node of the flow graph: an agent, or the outside of the flock. */
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

/** Validates an edge of the flow graph: artifacts of one type flow from `source` to `target`. */
export const graphEdgeSchema = z
  .object({
    id: z.string(),
    source: z.string(),
    target: z.string(),
    artifact_type: z.string(),
  })
  .meta({ id: "GraphEdge" });

/** Validates the counters of an agent. */
export const agentCountersSchema = z
  .object({
    started: z.int(),
    succeeded: z.int(),
    failed: z.int().describe("Runs that ended with any status other than `success`."),
    running: z.int(),
    consumed: z.int().describe("Artifacts consumed, over all runs."),
    published: z.int().describe("Artifacts published, over all runs."),
    duration_ms: z.number().describe("Total duration of the ended runs, in milliseconds."),
  })
  .meta({ id: "AgentCounters" });

/** Validates a node of a snapshot: a graph node with status and counters. */
export const graphSnapshotNodeSchema = graphNodeSchema
  .extend({
    status: agentStatusSchema,
    counters: agentCountersSchema,
    paused: z.literal(true).optional().describe("Absent if the agent is not paused."),
    circuit: circuitStateSchema.exclude(["closed"]).optional().describe("Absent while the circuit is closed."),
  })
  .meta({ id: "GraphSnapshotNode" });

/** Validates the flow graph with status and counters. */
export const graphSnapshotSchema = z
  .object({
    nodes: z.array(graphSnapshotNodeSchema),
    edges: z.array(graphEdgeSchema),
    seq: z.int().describe("The snapshot reflects all events up to this seq, and none after it."),
  })
  .meta({ id: "GraphSnapshot" });

/** The state of an agent's circuit breaker. */
export type CircuitState = z.infer<typeof circuitStateSchema>;
/** The status of an agent. */
export type AgentStatus = z.infer<typeof agentStatusSchema>;
/** How often an agent ran, how its runs ended, and how many artifacts it handled. */
export type AgentCounters = z.infer<typeof agentCountersSchema>;
/** A node of the flow graph: an agent, or {@link EXTERNAL}. */
export type GraphNode = z.infer<typeof graphNodeSchema>;
/** An edge of the flow graph: artifacts of one type flow from `source` to `target`. */
export type GraphEdge = z.infer<typeof graphEdgeSchema>;
/** A graph node with status and counters. */
export type GraphSnapshotNode = z.infer<typeof graphSnapshotNodeSchema>;
/** The flow graph with status and counters, as of one `seq`. */
export type GraphSnapshot = z.infer<typeof graphSnapshotSchema>;

/** The part of an agent's declaration that determines the topology. */
export interface DeclaredAgent {
  readonly agent_id: string;
  readonly description?: string | undefined;
  readonly consumes: readonly string[];
  readonly publishes: readonly string[];
}

/**
 * Returns the flow graph of agents, from their declarations: an edge for each pair of a producer and a consumer of the
 * same artifact type. A type that is consumed but not published comes from the {@link EXTERNAL} node. That node exists
 * only if there is such a type.
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
  const externalTypes: string[] = [];
  for (const [type, targets] of consumers) {
    const sources = producers.get(type) ?? [EXTERNAL];
    if (!producers.has(type)) externalTypes.push(type);
    for (const source of sources) {
      for (const target of targets) {
        edges.push({ id: `${source}→${target}:${type}`, source, target, artifact_type: type });
      }
    }
  }
  if (externalTypes.length > 0) {
    nodes.unshift({ id: EXTERNAL, type: "external", label: EXTERNAL, consumes: [], publishes: externalTypes });
  }
  return { nodes, edges };
}

function listOf(lists: Map<string, string[]>, key: string): string[] {
  let list = lists.get(key);
  if (!list) lists.set(key, (list = []));
  return list;
}
