import type { GraphNode } from "@flock/protocol";
import {
  Background,
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useEffect, useMemo, useState } from "react";
import { useLive } from "../../live/store.ts";
import { Status } from "../../parts/parts.tsx";
import { Link } from "../../place/link.tsx";
import { pathOf } from "../../place/place.ts";
import { AgentCounts } from "./agent-counts.tsx";
import { publishedCount } from "./flow-counts.ts";
import { type Flow, flowsOf, layout, NODE } from "./graph-layout.ts";

type AgentNode = Node<{ node: GraphNode }, "agent">;
type FlowEdge = Edge<{ flow: Flow; path: string; label: { x: number; y: number } }, "flow">;

/** The agents and how artifacts flow between them. */
export default function FlowGraph() {
  return (
    <ReactFlowProvider>
      <Graph />
    </ReactFlowProvider>
  );
}

function Graph() {
  const nodes = useLive(({ state }) => state.nodes);
  const edges = useLive(({ state }) => state.edges);
  const [drawn, setDrawn] = useState<{ nodes: AgentNode[]; edges: FlowEdge[] }>({ nodes: [], edges: [] });
  const { fitView } = useReactFlow();
  // The same topology may come again, after a reconnect for one: that is no reason to move anything.
  const key = JSON.stringify([nodes, edges]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for both
  const topology = useMemo(() => ({ nodes, flows: flowsOf(edges) }), [key]);
  useEffect(() => {
    let isCurrent = true;
    const { nodes, flows } = topology;
    void layout(nodes, flows).then((places) => {
      if (!isCurrent) return;
      setDrawn({
        nodes: nodes.map((node) => ({
          id: node.id,
          type: "agent",
          position: places.nodes.get(node.id) ?? { x: 0, y: 0 },
          data: { node },
          ...NODE,
        })),
        edges: flows.flatMap((flow) => {
          const line = places.flows.get(flow.id);
          return line
            ? [
                {
                  id: flow.id,
                  source: flow.source,
                  target: flow.target,
                  type: "flow" as const,
                  data: { flow, ...line },
                },
              ]
            : [];
        }),
      });
      requestAnimationFrame(() => void fitView({ padding: 0.08, maxZoom: 1.1 }));
    });
    return () => {
      isCurrent = false;
    };
  }, [topology, fitView]);
  return (
    <ReactFlow
      nodes={drawn.nodes}
      edges={drawn.edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      nodesConnectable={false}
      nodesDraggable={false}
      nodesFocusable={false}
      elementsSelectable={false}
      edgesFocusable={false}
      minZoom={0.1}
    >
      <svg className="absolute size-0" aria-hidden="true">
        <title>Arrowhead</title>
        <defs>
          <marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">
            <path d="M 0 1 L 9 5 L 0 9" fill="none" stroke="var(--soft)" strokeWidth="1.5" />
          </marker>
        </defs>
      </svg>
      <Background color="var(--line)" />
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

const NODE_TYPES = { agent: AgentBox };
const EDGE_TYPES = { flow: FlowLine };

function AgentBox({ data: { node } }: NodeProps<AgentNode>) {
  const agent = useLive(({ state }) => state.agents.get(node.id));
  const isOutside = node.type === "external";
  const border =
    agent?.status === "running" ? "working border-busy" : agent?.status === "error" ? "border-bad" : "border-line";
  return (
    <div
      style={NODE}
      className={`flex flex-col justify-between rounded-xl border bg-card px-3.5 py-2.5 text-left ${border} ${
        isOutside ? "border-dashed" : ""
      }`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      <div className="flex items-baseline justify-between gap-2">
        {isOutside ? (
          <span className="font-semibold">outside</span>
        ) : (
          <Link
            href={pathOf("runs", undefined, { agent: node.id })}
            title={`All runs of ${node.id}`}
            className="pointer-events-auto truncate font-semibold hover:underline"
          >
            {node.label}
          </Link>
        )}
        {agent && <Status value={agent.status} />}
      </div>
      <p className="truncate text-xs text-soft" title={node.description}>
        {isOutside ? `gives ${node.publishes.join(", ")}` : node.description}
      </p>
      {agent && <AgentCounts agent={agent} />}
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

function FlowLine({ data }: EdgeProps<FlowEdge>) {
  if (!data) return null;
  const { flow, path, label } = data;
  return (
    <>
      <BaseEdge path={path} markerEnd="url(#arrow)" style={{ stroke: "var(--soft)" }} />
      <EdgeLabelRenderer>
        <div
          className="absolute rounded-md border border-line bg-page px-1.5 text-xs leading-5 whitespace-nowrap"
          style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }}
        >
          {flow.types.map((type) => (
            <FlowLabel key={type} source={flow.source} type={type} />
          ))}
        </div>
      </EdgeLabelRenderer>
    </>
  );
}

function FlowLabel({ source, type }: { source: string; type: string }) {
  const count = useLive(({ state }) => publishedCount(state.artifacts, source, type));
  return (
    <div className="flex justify-between gap-1.5">
      {type} <span className="text-soft tabular-nums">{count.toLocaleString("en")}</span>
    </div>
  );
}
