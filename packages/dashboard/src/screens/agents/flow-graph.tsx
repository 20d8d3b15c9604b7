import type { AgentState } from "@flock/protocol";
import {
  applyNodeChanges,
  Background,
  BaseEdge,
  ControlButton,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useNodesState,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { LayoutGrid } from "lucide-react";
import { createContext, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { AgentBadges, isHeld } from "../../control/agent-badges.tsx";
import { useAgentInfo } from "../../live/agent-infos.ts";
import { useCalmState } from "../../live/calm.ts";
import { gathered, missing } from "../../parts/gate-words.ts";
import { Status } from "../../parts/parts.tsx";
import { Link } from "../../place/link.tsx";
import { pathOf } from "../../place/place.ts";
import { AgentCounts } from "./agent-counts.tsx";
import { publishedCount } from "./flow-counts.ts";
import { openGates } from "./gates.ts";
import { type Flow, flowsOf, type Layout, layout, NODE } from "./graph-layout.ts";
import { type DrawnNode, drawnGraph } from "./grouping.ts";
import { forgetPlaces, movedPlaces, type Point, rememberPlace, settled } from "./places.ts";
import type { Rate } from "./rates.ts";

type AgentNode = Node<{ drawn: DrawnNode }, "agent">;
type FlowEdge = Edge<{ flow: Flow; line: Layout["flows"] extends ReadonlyMap<string, infer L> ? L : never }, "flow">;

/** The space that a node wants around it, in px. */
const AROUND = { width: NODE.width + 24, height: NODE.height + 18 };

/** The agents and how artifacts flow between them. */
export default function FlowGraph({ rates, shown }: FlowGraphProps) {
  return (
    <ReactFlowProvider>
      <Rates value={rates}>
        <Graph shown={shown} />
      </Rates>
    </ReactFlowProvider>
  );
}

interface FlowGraphProps {
  readonly rates: ReadonlyMap<string, Rate>;
  /** The agent that is looked at. */
  readonly shown: string | undefined;
}

const RatesContext = createContext<ReadonlyMap<string, Rate>>(new Map());
const Rates = RatesContext.Provider;

function Graph({ shown }: { shown: string | undefined }) {
  const nodes = useCalmState(({ nodes }) => nodes);
  const edges = useCalmState(({ edges }) => edges);
  const [drawn, setDrawn] = useNodesState<AgentNode>([]);
  const [lines, setLines] = useState<readonly FlowEdge[]>([]);
  /** Where the layout would have each node: its lines fit only there. */
  const laidOut = useRef<ReadonlyMap<string, Point>>(new Map());
  const places = useRef(new Map<string, Point>());
  const { fitView } = useReactFlow();
  // The same topology may come again, after a reconnect for one: that is no reason to move anything.
  const key = JSON.stringify([nodes, edges]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for both
  const topology = useMemo(() => {
    const graph = drawnGraph(nodes, edges);
    return { nodes: graph.nodes, flows: flowsOf(graph.edges) };
  }, [key]);
  useEffect(() => {
    let isCurrent = true;
    const { nodes, flows } = topology;
    void layout(
      nodes.map(({ node }) => node),
      flows,
    ).then((wanted) => {
      if (!isCurrent) return;
      const isFirst = places.current.size === 0;
      const neighbours = (id: string) =>
        flows.flatMap(({ source, target }) => (source === id ? [target] : target === id ? [source] : []));
      const moved = movedPlaces();
      const before = isFirst ? new Map() : places.current;
      const settledPlaces = settled(before, wanted.nodes, neighbours, AROUND);
      for (const [id, place] of moved) if (settledPlaces.has(id)) settledPlaces.set(id, place);
      places.current = settledPlaces;
      laidOut.current = wanted.nodes;
      setDrawn(
        nodes.map((each) => ({
          id: each.id,
          type: "agent",
          position: settledPlaces.get(each.id) ?? { x: 0, y: 0 },
          data: { drawn: each },
          ...NODE,
        })),
      );
      setLines(
        flows.flatMap((flow) => {
          const line = wanted.flows.get(flow.id);
          return line
            ? [{ id: flow.id, source: flow.source, target: flow.target, type: "flow" as const, data: { flow, line } }]
            : [];
        }),
      );
      // Only once: after that the viewer decides what is looked at.
      if (isFirst) requestAnimationFrame(() => void fitView({ padding: 0.08, maxZoom: 1.1 }));
    });
    return () => {
      isCurrent = false;
    };
  }, [topology, fitView, setDrawn]);
  const shownNodes = useMemo(
    () => drawn.map((node) => ({ ...node, selected: shown !== undefined && node.data.drawn.members.includes(shown) })),
    [drawn, shown],
  );
  const edgesNow = useMemo(() => {
    const at = new Map(drawn.map(({ id, position }) => [id, position]));
    const isInPlace = (id: string) => {
      const is = at.get(id);
      const was = laidOut.current.get(id);
      return is !== undefined && was !== undefined && is.x === was.x && is.y === was.y;
    };
    return lines.map((line) =>
      isInPlace(line.source) && isInPlace(line.target)
        ? line
        : { ...line, data: { ...line.data, line: undefined } as unknown as FlowEdge["data"] },
    ) as FlowEdge[];
  }, [drawn, lines]);
  return (
    <ReactFlow
      nodes={shownNodes}
      edges={edgesNow}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={(changes) => setDrawn((before) => applyNodeChanges(changes, before))}
      onNodeDragStop={(_, node) => {
        places.current.set(node.id, node.position);
        rememberPlace(node.id, node.position);
      }}
      nodesConnectable={false}
      nodesFocusable={false}
      elementsSelectable={false}
      edgesFocusable={false}
      minZoom={0.1}
      onlyRenderVisibleElements={drawn.length > 100}
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
      <Controls showInteractive={false}>
        <ControlButton
          title="Put every agent back where the layout has it"
          aria-label="Put every agent back where the layout has it"
          onClick={() => {
            forgetPlaces();
            places.current = new Map(laidOut.current);
            setDrawn((before) =>
              before.map((node) => ({ ...node, position: laidOut.current.get(node.id) ?? node.position })),
            );
            requestAnimationFrame(() => void fitView({ padding: 0.08, maxZoom: 1.1 }));
          }}
        >
          <LayoutGrid aria-hidden="true" className="!fill-none" />
        </ControlButton>
      </Controls>
    </ReactFlow>
  );
}

const NODE_TYPES = { agent: AgentBox };
const EDGE_TYPES = { flow: FlowLine };

/** Memory of one minute: how warm a node glows when its runs fail. */
function heatOf(rate: Rate | undefined): string | undefined {
  if (!rate || rate.failed === 0) return undefined;
  const share = Math.round((rate.failed / Math.max(1, rate.ended)) * 24) + 6;
  return `color-mix(in srgb, var(--bad) ${share}%, var(--card))`;
}

/** Below this zoom nobody can read what is written small, so that it is not kept up to date either. */
const LEGIBLE_ZOOM = 0.4;

function useIsFar(): boolean {
  return useStore(({ transform: [, , zoom] }) => zoom < LEGIBLE_ZOOM);
}

function AgentBox({ data: { drawn }, selected }: NodeProps<AgentNode>) {
  return useIsFar() ? <FarBox drawn={drawn} selected={selected} /> : <NearBox drawn={drawn} selected={selected} />;
}

interface BoxProps {
  readonly drawn: DrawnNode;
  readonly selected: boolean;
}

/** What can be told from far away: who it is, and whether it works. */
function FarBox({ drawn: { node, members }, selected }: BoxProps) {
  const status = useCalmState(({ agents }) => statusOf(members.map((member) => agents.get(member)?.status)));
  return (
    <div
      style={NODE}
      className={`flex items-center justify-center rounded-xl border-4 bg-card px-2 ${borderOf(status)} ${
        node.type === "external" ? "border-dashed" : ""
      } ${selected ? "outline-8 outline-offset-8 outline-accent" : ""}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      {members.length > 1 || node.type === "external" ? (
        <span className="truncate text-3xl font-semibold">{node.label}</span>
      ) : (
        <Link
          href={pathOf("agents", node.id)}
          title={`More about ${node.id}`}
          className="nodrag pointer-events-auto truncate text-3xl font-semibold"
        >
          {node.label}
        </Link>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

function borderOf(status: AgentState["status"] | undefined): string {
  return status === "running" ? "working border-busy" : status === "error" ? "border-bad" : "border-line";
}

/** Of several: whether one of them works, else whether one has failed. */
function statusOf(statuses: readonly (AgentState["status"] | undefined)[]): AgentState["status"] {
  return statuses.includes("running") ? "running" : statuses.includes("error") ? "error" : "idle";
}

function NearBox({ drawn, selected }: BoxProps) {
  const { node, members } = drawn;
  const agents = useCalmState(useShallow(({ agents }) => members.map((member) => agents.get(member))));
  const rates = useContext(RatesContext);
  const agent = summed(agents);
  const rate = members.length === 1 ? rates.get(members[0] as string) : undefined;
  const gate = useCalmState(({ gates }) => (members.length === 1 ? openGates(gates).get(node.id)?.at(-1) : undefined));
  const info = useAgentInfo(node.id);
  const isOutside = node.type === "external";
  return (
    <div
      style={{ ...NODE, background: heatOf(rate) }}
      className={`flex flex-col justify-between rounded-xl border bg-card px-3.5 py-2.5 text-left ${borderOf(agent?.status)} ${
        isOutside ? "border-dashed" : ""
      } ${selected ? "outline-2 outline-offset-2 outline-accent" : ""} ${members.length > 1 ? "shadow-[3px_3px_0_var(--line)]" : ""}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      <div className="flex items-baseline justify-between gap-2">
        {isOutside ? (
          <span className="font-semibold">outside</span>
        ) : members.length > 1 ? (
          <span className="font-semibold">{node.label}</span>
        ) : (
          <Link
            href={pathOf("agents", node.id)}
            title={`More about ${node.id}`}
            className="nodrag pointer-events-auto truncate font-semibold hover:underline"
          >
            {node.label}
          </Link>
        )}
        {agent && <Status value={agent.status} />}
      </div>
      <p className="flex justify-between gap-2 text-xs">
        {agent && members.length === 1 && isHeld(agent, info) ? (
          <span className="flex min-w-0 gap-1 overflow-hidden">
            <AgentBadges agent={agent} info={info} />
          </span>
        ) : (
          <span
            className={`truncate ${gate ? "text-busy" : "text-soft"}`}
            title={gate ? gathered(gate) : node.description}
          >
            {isOutside
              ? `gives ${node.publishes.join(", ")}`
              : gate
                ? `waits for ${missing(gate) || "its time"}`
                : members.length > 1
                  ? members.slice(0, 4).join(", ")
                  : node.description}
          </span>
        )}
        {rate && <span className="shrink-0 text-soft tabular-nums">{rate.started}/min</span>}
      </p>
      {agent && <AgentCounts agent={agent} />}
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

/** Several agents as one. */
function summed(agents: readonly (AgentState | undefined)[]): AgentState | undefined {
  const known = agents.filter((agent) => agent !== undefined);
  if (known.length <= 1) return known[0];
  const counters = { ...(known[0] as AgentState).counters };
  for (const agent of known.slice(1)) {
    for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] += agent.counters[name];
  }
  return { ...(known[0] as AgentState), counters, status: statusOf(known.map(({ status }) => status)) };
}

function FlowLine({ data, sourceX, sourceY, targetX, targetY }: EdgeProps<FlowEdge>) {
  const isFar = useIsFar();
  if (!data) return null;
  const { flow, line } = data;
  const [bent, middleX, middleY] = getBezierPath({
    sourceX,
    sourceY,
    sourcePosition: Position.Right,
    targetX,
    targetY,
    targetPosition: Position.Left,
  });
  // Lines that the layout has drawn go around nodes; where a node has been moved they end nowhere.
  const { path, label } = line ?? { path: bent, label: { x: middleX, y: middleY } };
  return (
    <>
      <BaseEdge path={path} markerEnd="url(#arrow)" style={{ stroke: "var(--soft)" }} />
      {!isFar && (
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
      )}
    </>
  );
}

/** How long a label glows when something has come along, in ms; and how many at a time: more is a flicker. */
const PULSE_MS = 900;
const PULSES = 24;
let pulses = 0;

function FlowLabel({ source, type }: { source: string; type: string }) {
  const count = useCalmState(({ artifacts }) => publishedCount(artifacts, source, type));
  const label = useRef<HTMLDivElement>(null);
  const before = useRef(count);
  useEffect(() => {
    const grown = count > before.current;
    before.current = count;
    if (!grown || pulses >= PULSES || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    pulses++;
    const pulse = label.current?.animate([{ background: "var(--accent)", color: "var(--on-accent)" }, {}], PULSE_MS);
    const isOver = () => {
      pulses--;
    };
    if (pulse) pulse.finished.then(isOver, isOver);
    else isOver();
  }, [count]);
  return (
    <div ref={label} className="-mx-1.5 flex justify-between gap-1.5 rounded-md px-1.5">
      {type} <span className="tabular-nums opacity-75">{count.toLocaleString("en")}</span>
    </div>
  );
}
