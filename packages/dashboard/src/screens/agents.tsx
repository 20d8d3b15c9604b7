import type { AgentState, GraphEdge, GraphNode } from "@flock/protocol";
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useEffect, useMemo, useState } from "react";
import { duration } from "../format.ts";
import { layout, NODE } from "../graph-layout.ts";
import { useLive } from "../live.ts";
import { Empty, Status } from "../parts.tsx";

type AgentNode = Node<{ node: GraphNode }, "agent">;

/** Edges between the same two agents are drawn as one. */
function bundled(edges: readonly GraphEdge[]): GraphEdge[] {
  const bundles = new Map<string, GraphEdge>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.source, edge.target]);
    const before = bundles.get(key);
    bundles.set(key, before ? { ...before, artifact_type: `${before.artifact_type}, ${edge.artifact_type}` } : edge);
  }
  return [...bundles.values()];
}

export default function AgentsScreen() {
  const nodes = useLive(({ state }) => state.nodes);
  if (nodes.length === 0) {
    return <Empty>No agents yet. Declare one with flock.agent("name"), and it appears here at once.</Empty>;
  }
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Agents</h1>
      <div className="hidden min-h-0 flex-1 md:block">
        <ReactFlowProvider>
          <Flow />
        </ReactFlowProvider>
      </div>
      <AgentList />
    </div>
  );
}

function Flow() {
  const nodes = useLive(({ state }) => state.nodes);
  const edges = useLive(({ state }) => state.edges);
  const [placed, setPlaced] = useState<{ nodes: AgentNode[]; edges: Edge[] }>({ nodes: [], edges: [] });
  const { fitView } = useReactFlow();
  useEffect(() => {
    let isCurrent = true;
    const drawn = bundled(edges);
    void layout(nodes, drawn).then((places) => {
      if (!isCurrent) return;
      setPlaced({
        nodes: nodes.map((node) => ({
          id: node.id,
          type: "agent",
          position: places.get(node.id) ?? { x: 0, y: 0 },
          data: { node },
          ariaLabel: node.label,
        })),
        edges: drawn.map(({ id, source, target, artifact_type }) => ({
          id,
          source,
          target,
          label: artifact_type,
          // What flows back goes below, or it would hide behind what flows on.
          ...(flowsBack(places, source, target)
            ? { type: "smoothstep", sourceHandle: "below", targetHandle: "below-in", pathOptions: BEND }
            : { type: "default" }),
          markerEnd: { type: MarkerType.ArrowClosed, color: "var(--soft)" },
          style: { stroke: "var(--soft)" },
          labelStyle: { fill: "var(--ink)", fontSize: 11 },
          labelBgStyle: { fill: "var(--page)" },
          labelBgPadding: [4, 2],
        })),
      });
      requestAnimationFrame(() => void fitView({ padding: 0.12, maxZoom: 1.1 }));
    });
    return () => {
      isCurrent = false;
    };
  }, [nodes, edges, fitView]);
  return (
    <ReactFlow
      nodes={placed.nodes}
      edges={placed.edges}
      nodeTypes={NODE_TYPES}
      nodesConnectable={false}
      nodesDraggable={false}
      edgesFocusable={false}
      minZoom={0.1}
      proOptions={{ hideAttribution: false }}
      fitView
    >
      <Background color="var(--line)" />
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

const BEND = { offset: 30, borderRadius: 14 };

function flowsBack(places: Map<string, { x: number }>, source: string, target: string): boolean {
  return (places.get(target)?.x ?? 0) <= (places.get(source)?.x ?? 0);
}

const NODE_TYPES = { agent: AgentBox };

function AgentBox({ data: { node } }: NodeProps<AgentNode>) {
  const agent = useLive(({ state }) => state.agents.get(node.id));
  const isOutside = node.type === "external";
  return (
    <div
      style={NODE}
      className={`flex flex-col justify-between rounded-xl border bg-card px-3.5 py-2.5 text-left ${
        agent?.status === "running" ? "working border-busy" : agent?.status === "error" ? "border-bad" : "border-line"
      } ${isOutside ? "border-dashed" : ""}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      <div className="flex items-baseline justify-between gap-2">
        <span className="truncate font-semibold">{isOutside ? "outside" : node.label}</span>
        {agent && <Status value={agent.status} />}
      </div>
      <p className="truncate text-xs text-soft" title={node.description}>
        {isOutside ? `gives ${node.publishes.join(", ")}` : node.description}
      </p>
      {agent && <Counts agent={agent} />}
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
      <Handle id="below" type="source" position={Position.Bottom} isConnectable={false} style={{ opacity: 0 }} />
      <Handle id="below-in" type="target" position={Position.Bottom} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

function Counts({ agent: { counters } }: { agent: AgentState }) {
  return (
    <p className="flex gap-3 text-xs text-soft tabular-nums">
      <span>{counters.running} running</span>
      <span>{counters.succeeded} done</span>
      <span className={counters.failed > 0 ? "text-bad" : ""}>{counters.failed} failed</span>
    </p>
  );
}

/** The same for eyes that want numbers, and for screens too narrow for a graph. */
function AgentList() {
  const agents = useLive(({ state }) => state.agents);
  const list = useMemo(() => [...agents.values()], [agents]);
  return (
    <section aria-label="All agents" className="overflow-auto border-line bg-card md:max-h-[38%] md:border-t">
      {/* Narrow: cards. A table of eight columns helps nobody there. */}
      <ul className="md:hidden">
        {list.map((agent) => (
          <li key={agent.agent_id} className="border-b border-line px-4 py-3">
            <span className="flex items-baseline justify-between">
              <span className="font-semibold">{agent.agent_id}</span>
              <Status value={agent.status} />
            </span>
            <p className="my-1 text-sm text-soft">{agent.description}</p>
            <Counts agent={agent} />
          </li>
        ))}
      </ul>
      <table className="hidden w-full text-left text-sm md:table">
        <thead className="sticky top-0 bg-card text-xs text-soft">
          <tr>
            {["Agent", "Status", "Consumes", "Publishes", "Runs", "Failed", "Mean time"].map((name) => (
              <th key={name} scope="col" className="px-4 py-2 font-medium whitespace-nowrap">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.map(({ agent_id, status, consumes, publishes, counters }) => {
            const ended = counters.succeeded + counters.failed;
            return (
              <tr key={agent_id} className="border-t border-line">
                <th scope="row" className="px-4 py-1.5 font-medium">
                  {agent_id}
                </th>
                <td className="px-4 py-1.5">
                  <Status value={status} />
                </td>
                <td className="px-4 py-1.5 text-soft">{consumes.join(", ")}</td>
                <td className="px-4 py-1.5 text-soft">{publishes.join(", ")}</td>
                <td className="px-4 py-1.5 tabular-nums">{counters.started}</td>
                <td className={`px-4 py-1.5 tabular-nums ${counters.failed > 0 ? "text-bad" : ""}`}>
                  {counters.failed}
                </td>
                <td className="px-4 py-1.5 tabular-nums">
                  {ended === 0 ? "" : duration(counters.duration_ms / ended)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
