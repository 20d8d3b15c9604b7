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
  type NodeChange,
  type NodeProps,
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useNodesState,
  useReactFlow,
  useStore,
  useStoreApi,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { ChevronDown, ChevronRight, CircleAlert, LayoutGrid, Move, Pause, X } from "lucide-react";
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { AgentBadges, GroupBadges, heldOf, isHeld } from "../../control/agent-badges.tsx";
import { PauseButton } from "../../control/buttons.tsx";
import { useAgentInfo } from "../../live/agent-infos.ts";
import { useCalmState } from "../../live/calm.ts";
import { gathered, missing } from "../../parts/gate-words.ts";
import { Status } from "../../parts/parts.tsx";
import { Link } from "../../place/link.tsx";
import { pathOf, useParam, usePlace } from "../../place/place.ts";
import { AgentCounts } from "./agent-counts.tsx";
import { firstView, NAMES_ZOOM, type PlacedBox } from "./first-view.ts";
import { publishedCount } from "./flow-counts.ts";
import { type Flow, flowsOf } from "./flows.ts";
import { useFollowFocus } from "./follow-focus.ts";
import { frameSize, placeInFrame } from "./frame.ts";
import { openGates } from "./gates.ts";
import { layout } from "./graph-layout.ts";
import { GraphMap } from "./graph-map.tsx";
import { type DrawnNode, drawnGraph, type Frame } from "./grouping.ts";
import { type Layout, NODE } from "./layered.ts";
import { keptParams, openGroups, toggleGroup } from "./open-groups.ts";
import { forgetPlaces, movedPlaces, type Point, rememberPlace, settled } from "./places.ts";
import type { Rate } from "./rates.ts";

/** `home`: where the layout has an agent within its frame. */
type AgentNode = Node<{ drawn: DrawnNode; isOpen: boolean; home?: Point }, "agent">;
type FrameNode = Node<{ frame: Frame }, "frame">;
type AnyNode = AgentNode | FrameNode;
type FlowEdge = Edge<{ flow: Flow; line: Layout["flows"] extends ReadonlyMap<string, infer L> ? L : never }, "flow">;

/** The space that a node wants around it, in px. */
const AROUND = { width: 24, height: 18 };

/** The agents and how artifacts flow between them. */
export default function FlowGraph({ rates, shown, covered }: FlowGraphProps) {
  return (
    <ReactFlowProvider>
      <Rates value={rates}>
        <Graph shown={shown} covered={covered} />
      </Rates>
    </ReactFlowProvider>
  );
}

interface FlowGraphProps {
  readonly rates: ReadonlyMap<string, Rate>;
  /** The agent that is looked at. */
  readonly shown: string | undefined;
  /** So much of the graph, on the right, lies under something else, in px. */
  readonly covered: number;
}

const RatesContext = createContext<ReadonlyMap<string, Rate>>(new Map());
const Rates = RatesContext.Provider;

function Graph({ shown, covered }: Omit<FlowGraphProps, "rates">) {
  const nodes = useCalmState(({ nodes }) => nodes);
  const edges = useCalmState(({ edges }) => edges);
  const [drawn, setDrawn] = useNodesState<AnyNode>([]);
  const [lines, setLines] = useState<readonly FlowEdge[]>([]);
  /** Where the layout would have each node: its lines fit only there. */
  const laidOut = useRef<ReadonlyMap<string, Point>>(new Map());
  const places = useRef(new Map<string, Point>());
  const { setViewport, screenToFlowPosition } = useReactFlow();
  const picture = useRef<HTMLDivElement>(null);
  /** Whether boxes are chosen and put elsewhere, for who does not drag. */
  const [isMoving, setMoving] = useState(false);
  const followFocus = useFollowFocus(picture, covered);
  const screen = useStoreApi();
  const standing = useMemo(() => drawn.filter(({ parentId }) => parentId === undefined).map(boxOf), [drawn]);
  /** The agent that is looked at when the graph appears. */
  const began = useRef(shown);
  const look = useCallback(
    (boxes: readonly PlacedBox[], from?: string) => {
      // What is there now is measured in the next frame.
      requestAnimationFrame(() => void setViewport(firstView(boxes, screen.getState(), from)));
    },
    [screen, setViewport],
  );
  const [opened] = useParam("open");
  // The same topology may come again, after a reconnect for one: that is no reason to move anything.
  const key = JSON.stringify([nodes, edges, opened]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all of them
  const topology = useMemo(() => {
    const { nodes: drawn, edges: joined, frames } = drawnGraph(nodes, edges, { open: openGroups(opened) });
    const boxes = [
      ...drawn.map(({ id }) => ({ id, ...NODE })),
      ...frames.map(({ id, members }) => ({ id, ...frameSize(members.length) })),
    ];
    const ties = frames.map(({ id, of }): Flow => ({ id: `to ${id}`, source: of.id, target: id, types: [] }));
    return { nodes: drawn, frames, boxes, flows: [...flowsOf(joined), ...ties] };
  }, [key]);
  useEffect(() => {
    let isCurrent = true;
    const { nodes, frames, boxes, flows } = topology;
    void layout(boxes, flows).then((wanted) => {
      if (!isCurrent) return;
      const isFirst = places.current.size === 0;
      const neighbours = (id: string) =>
        flows.flatMap(({ source, target }) => (source === id ? [target] : target === id ? [source] : []));
      const moved = movedPlaces();
      const before = isFirst ? new Map() : places.current;
      const sizes = new Map(boxes.map(({ id, width, height }) => [id, { width, height }]));
      const sizeOf = (id: string) => {
        const { width, height } = sizes.get(id) ?? NODE;
        return { width: width + AROUND.width, height: height + AROUND.height };
      };
      const settledPlaces = settled(before, wanted.nodes, neighbours, sizeOf);
      for (const [id, place] of moved) if (settledPlaces.has(id)) settledPlaces.set(id, place);
      // What is closed has its place again when it is opened.
      places.current = new Map([...places.current, ...settledPlaces]);
      laidOut.current = wanted.nodes;
      const open = new Set(frames.map(({ of }) => of.id));
      const placeOf = (id: string) => settledPlaces.get(id) ?? { x: 0, y: 0 };
      setDrawn([
        ...nodes.map((each) => agentNode(each, placeOf(each.id), open.has(each.id))),
        ...frames.flatMap((frame) => framed(frame, placeOf(frame.id), moved)),
      ]);
      setLines(
        flows.flatMap((flow) => {
          const line = wanted.flows.get(flow.id);
          return line
            ? [{ id: flow.id, source: flow.source, target: flow.target, type: "flow" as const, data: { flow, line } }]
            : [];
        }),
      );
      // Only once: after that the viewer decides what is looked at.
      if (!isFirst) return;
      const from = nodes.find(({ members }) => members.includes(began.current ?? ""))?.id;
      look(
        boxes.map((box) => ({ ...box, ...placeOf(box.id) })),
        from,
      );
    });
    return () => {
      isCurrent = false;
    };
  }, [topology, look, setDrawn]);
  const shownNodes = useMemo(
    () =>
      drawn.map((node) =>
        isMoving
          ? { ...node, ariaLabel: nameOf(node) }
          : { ...node, selected: shown !== undefined && isShown(node, shown) },
      ),
    [drawn, shown, isMoving],
  );
  const onNodesChange = (changes: NodeChange<AnyNode>[]) => {
    for (const change of changes) {
      const node = change.type === "position" && !change.dragging && drawn.find(({ id }) => id === change.id);
      if (node && change.position) keep(node, change.position);
    }
    setDrawn((before) => applyNodeChanges(changes, before));
  };
  const keep = (node: AnyNode, position: Point) => {
    if (node.parentId === undefined) places.current.set(node.id, position);
    rememberPlace(placeName(node), position);
  };
  /** Puts what is chosen where somebody has clicked. */
  const put = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    const node = drawn.find(({ selected }) => selected);
    if (!isMoving || !node) return;
    const { width = 0, height = 0 } = node;
    const around = drawn.find(({ id }) => id === node.parentId)?.position ?? { x: 0, y: 0 };
    const { x, y } = screenToFlowPosition({ x: clientX, y: clientY });
    const position = { x: x - around.x - width / 2, y: y - around.y - height / 2 };
    keep(node, position);
    setDrawn((before) => before.map((each) => (each.id === node.id ? { ...each, position } : each)));
  };
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
      ref={picture}
      autoPanOnNodeFocus={false}
      attributionPosition="top-left"
      nodes={shownNodes}
      edges={edgesNow}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={onNodesChange}
      onPaneClick={put}
      nodesConnectable={false}
      nodesFocusable={isMoving}
      elementsSelectable={isMoving}
      edgesFocusable={false}
      deleteKeyCode={null}
      selectionKeyCode={null}
      multiSelectionKeyCode={null}
      ariaLabelConfig={KEYS_IN_WORDS}
      onKeyUp={followFocus}
      minZoom={0.02}
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
            look(standing.map((box) => ({ ...box, ...laidOut.current.get(box.id) })));
            setDrawn((before) =>
              before.map((node) => ({
                ...node,
                position:
                  (node.type === "agent" ? node.data.home : undefined) ?? laidOut.current.get(node.id) ?? node.position,
              })),
            );
          }}
        >
          <LayoutGrid aria-hidden="true" className="!fill-none" />
        </ControlButton>
        <ControlButton
          title="Move boxes without dragging"
          aria-label="Move boxes without dragging"
          aria-pressed={isMoving}
          onClick={() => setMoving(!isMoving)}
          className="aria-pressed:!bg-accent-soft aria-pressed:!text-accent"
        >
          <Move aria-hidden="true" className="!fill-none" />
        </ControlButton>
      </Controls>
      <Panel position="top-center">
        <p role="status" className="rounded-lg border border-accent bg-card px-3 py-1.5 text-sm shadow-md empty:hidden">
          {isMoving && "Choose a box, then a free place for it; or move it by arrow keys, faster with Shift."}
        </p>
      </Panel>
      <GraphMap boxes={standing} />
    </ReactFlow>
  );
}

function boxOf({ id, position, width = 0, height = 0 }: AnyNode): PlacedBox {
  return { id, ...position, width, height };
}

function agentNode(drawn: DrawnNode, position: Point, isOpen = false): AgentNode {
  return { id: drawn.id, type: "agent", position, data: { drawn, isOpen }, ...NODE };
}

/** A frame and the agents in it, which move with it. */
function framed(frame: Frame, position: Point, moved: ReadonlyMap<string, Point>): AnyNode[] {
  const { id, members } = frame;
  const around: FrameNode = { id, type: "frame", position, data: { frame }, ...frameSize(members.length), zIndex: -1 };
  return [
    around,
    ...members.map((member, index): AgentNode => {
      const home = placeInFrame(index, members.length);
      const node = { ...agentNode(member, home), parentId: id };
      return { ...node, position: moved.get(placeName(node)) ?? home, data: { ...node.data, home } };
    }),
  ];
}

/** What is told of the keys while boxes are moved. */
const KEYS_IN_WORDS = {
  // By this name, although it is told where keys do something.
  "node.a11yDescription.keyboardDisabled":
    "Press Enter to choose this box, then arrow keys to move it, with Shift faster.",
  "node.a11yDescription.ariaLiveMessage": ({ direction }: { direction: string }) => `Moved ${direction}.`,
};

function nameOf({ type, data }: AnyNode): string {
  return type === "frame" ? `The frame of ${data.frame.of.node.label}` : data.drawn.node.label;
}

/** Under which name it is remembered where a node has been put: within a frame it is another place than without. */
function placeName({ id, parentId }: Pick<Node, "id" | "parentId">): string {
  return parentId === undefined ? id : `${parentId}: ${id}`;
}

/** Whether an agent is what a node stands for; an open group leaves that to the agent itself. */
function isShown({ type, data }: AnyNode, agent: string): boolean {
  return type === "agent" && !data.isOpen && data.drawn.members.includes(agent);
}

const NODE_TYPES = { agent: AgentBox, frame: FrameBox };
const EDGE_TYPES = { flow: FlowLine };

/** Memory of one minute: how warm a node glows when its runs fail. */
function heatOf(rate: Rate | undefined): string | undefined {
  if (!rate || rate.failed === 0) return undefined;
  const share = Math.round((rate.failed / Math.max(1, rate.ended)) * 24) + 6;
  return `color-mix(in srgb, var(--bad) ${share}%, var(--card))`;
}

/** Below this zoom nobody can read what is written small, so that it is not kept up to date either. */
const SMALL_PRINT_ZOOM = 0.6;

function useIsFar(): boolean {
  return useStore(({ transform: [, , zoom] }) => zoom < SMALL_PRINT_ZOOM);
}

function AgentBox({ data: { drawn, isOpen }, selected }: NodeProps<AgentNode>) {
  const props = { drawn, isOpen, selected };
  return useIsFar() ? <FarBox {...props} /> : <NearBox {...props} />;
}

interface BoxProps {
  readonly drawn: DrawnNode;
  readonly isOpen: boolean;
  readonly selected: boolean;
}

/** What can be told from far away: who it is, and whether it works. */
function FarBox({ drawn, isOpen, selected }: BoxProps) {
  const { node, members } = drawn;
  const status = useCalmState(({ agents }) => statusOf(members.map((member) => agents.get(member)?.status)));
  const isPaused = useCalmState(({ agents }) => members.some((member) => agents.get(member)?.paused));
  return (
    <div
      style={NODE}
      className={`flex items-center justify-center gap-2 rounded-xl border-4 bg-card px-2 ${borderOf(status)} ${
        node.type === "external" ? "border-dashed" : ""
      } ${selected ? "outline-8 outline-offset-8 outline-accent" : ""}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      {/* A shape, so that the colour of the border is not all there is. */}
      {status === "error" && <CircleAlert size={32} role="img" aria-label="error" className="shrink-0 text-bad" />}
      {isPaused && <Pause size={32} role="img" aria-label="paused" className="shrink-0 text-busy" />}
      <BoxName drawn={drawn} isOpen={isOpen} className="line-clamp-2 text-center text-3xl wrap-anywhere" />
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

/** Who it is: an agent leads to what there is to know of it, a group to its agents. */
function BoxName({ drawn: { node, members, group }, isOpen, className = "" }: BoxNameProps) {
  const { params } = usePlace();
  if (node.type === "external") return <span className={`font-semibold ${className}`}>outside</span>;
  const looks = `nodrag pointer-events-auto font-semibold hover:underline ${className}`;
  if (members.length === 1) {
    return (
      <Link href={pathOf("agents", node.id, keptParams(params))} title={`More about ${node.id}`} className={looks}>
        {node.label}
      </Link>
    );
  }
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      title={isOpen ? "Show them as one again" : "Show each of them"}
      onClick={() => toggleGroup(group as string)}
      className={`flex! items-center gap-1 ${looks}`}
    >
      <Chevron size="1em" aria-hidden="true" />
      {node.label}
    </button>
  );
}

interface BoxNameProps {
  readonly drawn: DrawnNode;
  readonly isOpen: boolean;
  readonly className?: string;
}

function borderOf(status: AgentState["status"] | undefined): string {
  return status === "running" ? "working border-busy" : status === "error" ? "border-bad" : "border-line";
}

/** Of several: whether one of them works, else whether one has failed. */
function statusOf(statuses: readonly (AgentState["status"] | undefined)[]): AgentState["status"] {
  return statuses.includes("running") ? "running" : statuses.includes("error") ? "error" : "idle";
}

function NearBox({ drawn, isOpen, selected }: BoxProps) {
  const { node, members } = drawn;
  const agents = useCalmState(useShallow(({ agents }) => members.map((member) => agents.get(member))));
  const rates = useContext(RatesContext);
  const agent = summed(agents);
  const rate = members.length === 1 ? rates.get(members[0] as string) : undefined;
  const gate = useCalmState(({ gates }) => (members.length === 1 ? openGates(gates).get(node.id)?.at(-1) : undefined));
  const info = useAgentInfo(node.id);
  const held = members.length > 1 ? heldOf(agents.filter((each) => each !== undefined)) : undefined;
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
        <BoxName drawn={drawn} isOpen={isOpen} className="truncate" />
        {agent && (
          <span className="flex shrink-0 items-center gap-1 self-center">
            <Status value={agent.status} />
            {members.length === 1 && (
              <span className="nodrag pointer-events-auto -my-1 -mr-1.5 flex">
                <PauseButton agent={agent} isIcon />
              </span>
            )}
          </span>
        )}
      </div>
      <p className="flex justify-between gap-2 text-xs">
        {agent && members.length === 1 && isHeld(agent, info) ? (
          <span className="flex min-w-0 gap-1 overflow-hidden">
            <AgentBadges agent={agent} info={info} />
          </span>
        ) : held && held.paused + held.open + held.failing > 0 ? (
          <span className="flex min-w-0 gap-1 overflow-hidden">
            <GroupBadges held={held} />
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

/** The agents of a group that is open: they read and write the same, so the group has the lines. */
function FrameBox({ data: { frame } }: NodeProps<FrameNode>) {
  const isFar = useIsFar();
  const { of, members } = frame;
  const { consumes, publishes } = of.node;
  const reads = consumes.length > 0 ? ` that read ${consumes.join(", ")}` : "";
  const writes = publishes.length > 0 ? `${reads ? " and" : " that"} write ${publishes.join(", ")}` : "";
  return (
    <section
      aria-label={`${of.node.label}${reads}${writes}`}
      style={frameSize(members.length)}
      className="rounded-2xl border border-dashed border-line bg-sunken/80"
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      <p className={`flex items-center justify-between gap-2 px-4 pt-2 text-soft ${isFar ? "text-xl" : "text-sm"}`}>
        <span className="truncate">
          {of.node.label}
          {reads}
          {writes}
        </span>
        <button
          type="button"
          aria-label={`Show the ${of.node.label} as one again`}
          onClick={() => toggleGroup(of.group as string)}
          className="nodrag pointer-events-auto rounded-md p-1 hover:text-ink"
        >
          <X size={16} aria-hidden="true" />
        </button>
      </p>
    </section>
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
  const isLegible = useStore(({ transform: [, , zoom] }) => zoom >= NAMES_ZOOM);
  if (!data) return null;
  const { flow, line } = data;
  // Both ends are known by where something flows on; what flows back leaves to the left, and comes in from the right.
  const isBack = targetX + NODE.width < sourceX - NODE.width;
  const [bent, middleX, middleY] = getBezierPath({
    sourceX: isBack ? sourceX - NODE.width : sourceX,
    sourceY,
    sourcePosition: isBack ? Position.Left : Position.Right,
    targetX: isBack ? targetX + NODE.width : targetX,
    targetY,
    targetPosition: isBack ? Position.Right : Position.Left,
  });
  // Lines that the layout has drawn go around nodes; where a node has been moved they end nowhere.
  const { path, label } = line ?? { path: bent, label: { x: middleX, y: middleY } };
  return (
    <>
      <BaseEdge
        path={path}
        {...(flow.types.length > 0 ? { markerEnd: "url(#arrow)" } : {})}
        style={{ stroke: "var(--soft)", ...(flow.types.length > 0 ? {} : { strokeDasharray: "4 4" }) }}
      />
      {isLegible && flow.types.length > 0 && (
        <EdgeLabelRenderer>
          <div
            className={`absolute rounded-md bg-page leading-5 whitespace-nowrap ${isFar ? "px-1 text-xl" : "border border-line px-1.5 text-xs"}`}
            style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }}
          >
            {flow.types.map((type) =>
              isFar ? <div key={type}>{type}</div> : <FlowLabel key={type} source={flow.source} type={type} />,
            )}
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
