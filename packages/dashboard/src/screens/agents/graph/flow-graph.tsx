import {
  applyNodeChanges,
  Background,
  ControlButton,
  Controls,
  type Node,
  type NodeChange,
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useNodesState,
  useReactFlow,
  useStoreApi,
} from "@xyflow/react";
import { useThrottledState } from "../../../session/throttled-state.ts";
import "@xyflow/react/dist/style.css";
import { LayoutGrid, Move } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useParam } from "../../../router/route.ts";
import type { Rate } from "../rates.ts";
import { AgentBox, Rates } from "./agent-box.tsx";
import { firstView, type PlacedBox } from "./first-view.ts";
import { FlowLine } from "./flow-line.tsx";
import { type Flow, flowsOf } from "./flows.ts";
import { useFollowFocus } from "./follow-focus.ts";
import { frameSize, positionInFrame } from "./frame.ts";
import { FrameBox } from "./frame-box.tsx";
import { layout } from "./graph-layout.ts";
import { GraphMap } from "./graph-map.tsx";
import { type DrawnNode, drawnGraph, type Frame } from "./grouping.ts";
import { NODE } from "./layered.ts";
import { forgetPositions, movedPositions, type Point, rememberPosition, settled } from "./node-positions.ts";
import type { AgentNode, AnyNode, FlowEdge, FrameNode } from "./nodes.ts";
import { openGroups } from "./open-groups.ts";

/** The space around a node, in px. */
const AROUND = { width: 24, height: 18 };

/** Draws the agents and the flow of artifacts between them. */
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
  /** The selected agent. */
  readonly shown: string | undefined;
  /** The width of the graph that is covered on the right, in px. */
  readonly covered: number;
}

function Graph({ shown, covered }: Omit<FlowGraphProps, "rates">) {
  const nodes = useThrottledState(({ nodes }) => nodes);
  const edges = useThrottledState(({ edges }) => edges);
  const [drawn, setDrawn] = useNodesState<AnyNode>([]);
  const [lines, setLines] = useState<readonly FlowEdge[]>([]);
  /** The layout's position of each node. The computed lines only fit these positions. */
  const laidOut = useRef<ReadonlyMap<string, Point>>(new Map());
  const positions = useRef(new Map<string, Point>());
  const { setViewport, screenToFlowPosition } = useReactFlow();
  const picture = useRef<HTMLDivElement>(null);
  /** Whether boxes are moved by click and keyboard instead of dragging. */
  const [isMoving, setMoving] = useState(false);
  const followFocus = useFollowFocus(picture, covered);
  const screen = useStoreApi();
  const topLevel = useMemo(() => drawn.filter(({ parentId }) => parentId === undefined).map(boxOf), [drawn]);
  /** The agent that is selected when the graph appears. */
  const began = useRef(shown);
  const look = useCallback(
    (boxes: readonly PlacedBox[], from?: string) => void setViewport(firstView(boxes, screen.getState(), from)),
    [screen, setViewport],
  );
  const [opened] = useParam("open");
  // The same topology may arrive again, such as after a reconnect. Nothing moves then.
  const key = JSON.stringify([nodes, edges, opened]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key represents all of them
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
      const isFirst = positions.current.size === 0;
      const neighbors = (id: string) =>
        flows.flatMap(({ source, target }) => (source === id ? [target] : target === id ? [source] : []));
      const moved = movedPositions();
      const before = isFirst ? new Map() : positions.current;
      const sizes = new Map(boxes.map(({ id, width, height }) => [id, { width, height }]));
      const sizeOf = (id: string) => {
        const { width, height } = sizes.get(id) ?? NODE;
        return { width: width + AROUND.width, height: height + AROUND.height };
      };
      const newPositions = settled(before, wanted.nodes, neighbors, sizeOf);
      for (const [id, position] of moved) if (newPositions.has(id)) newPositions.set(id, position);
      // A collapsed node regains its position when expanded.
      positions.current = new Map([...positions.current, ...newPositions]);
      laidOut.current = wanted.nodes;
      const open = new Set(frames.map(({ of }) => of.id));
      const positionOf = (id: string) => newPositions.get(id) ?? { x: 0, y: 0 };
      // Once, before anything is visible. After that the viewer controls the camera.
      if (isFirst) {
        const from = nodes.find(({ members }) => members.includes(began.current ?? ""))?.id;
        look(
          boxes.map((box) => ({ ...box, ...positionOf(box.id) })),
          from,
        );
      }
      setDrawn([
        ...nodes.map((each) => agentNode(each, positionOf(each.id), open.has(each.id))),
        ...frames.flatMap((frame) => framed(frame, positionOf(frame.id), moved)),
      ]);
      setLines(
        flows.flatMap((flow) => {
          const line = wanted.flows.get(flow.id);
          return line
            ? [{ id: flow.id, source: flow.source, target: flow.target, type: "flow" as const, data: { flow, line } }]
            : [];
        }),
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
    if (node.parentId === undefined) positions.current.set(node.id, position);
    rememberPosition(positionKey(node), position);
  };
  /** Moves the selected box to a click. */
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
    const isLaidOut = (id: string) => {
      const is = at.get(id);
      const was = laidOut.current.get(id);
      return is !== undefined && was !== undefined && is.x === was.x && is.y === was.y;
    };
    return lines.map((line) =>
      isLaidOut(line.source) && isLaidOut(line.target)
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
          title="Reset layout"
          aria-label="Reset layout"
          onClick={() => {
            forgetPositions();
            positions.current = new Map(laidOut.current);
            look(topLevel.map((box) => ({ ...box, ...laidOut.current.get(box.id) })));
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
          {isMoving && "Select a box, then click its new position, or use the arrow keys (faster with Shift)."}
        </p>
      </Panel>
      <GraphMap boxes={topLevel} />
    </ReactFlow>
  );
}

function boxOf({ id, position, width = 0, height = 0 }: AnyNode): PlacedBox {
  return { id, ...position, width, height };
}

function agentNode(drawn: DrawnNode, position: Point, isOpen = false): AgentNode {
  return { id: drawn.id, type: "agent", position, data: { drawn, isOpen }, ...known(NODE) };
}

/** The size of the handles where lines begin and end, in px. */
const HANDLE_PX = 6;

/** The size of a node and the position of its handles. Without them the library renders every node to measure it. */
function known({ width, height }: { width: number; height: number }) {
  const handle = { width: HANDLE_PX, height: HANDLE_PX, y: (height - HANDLE_PX) / 2 };
  return {
    width,
    height,
    measured: { width, height },
    handles: [
      { type: "target" as const, position: Position.Left, x: -HANDLE_PX / 2, ...handle },
      { type: "source" as const, position: Position.Right, x: width - HANDLE_PX / 2, ...handle },
    ],
  };
}

/** A frame with its agents, which move with it. */
function framed(frame: Frame, position: Point, moved: ReadonlyMap<string, Point>): AnyNode[] {
  const { id, members } = frame;
  const size = known(frameSize(members.length));
  const around: FrameNode = { id, type: "frame", position, data: { frame }, ...size, zIndex: -1 };
  return [
    around,
    ...members.map((member, index): AgentNode => {
      const home = positionInFrame(index, members.length);
      const node = { ...agentNode(member, home), parentId: id };
      return { ...node, position: moved.get(positionKey(node)) ?? home, data: { ...node.data, home } };
    }),
  ];
}

/** Screen reader texts for moving boxes. */
const KEYS_IN_WORDS = {
  // The library's name for the text that applies when keyboard actions are enabled.
  "node.a11yDescription.keyboardDisabled":
    "Press Enter to select this box, then move it with the arrow keys (faster with Shift).",
  "node.a11yDescription.ariaLiveMessage": ({ direction }: { direction: string }) => `Moved ${direction}.`,
};

function nameOf({ type, data }: AnyNode): string {
  return type === "frame" ? `Frame of ${data.frame.of.node.label}` : data.drawn.node.label;
}

/** The storage key of a node's position. Positions within a frame are stored separately. */
function positionKey({ id, parentId }: Pick<Node, "id" | "parentId">): string {
  return parentId === undefined ? id : `${parentId}: ${id}`;
}

/** Whether a node represents an agent. An open group does not; its agents have nodes. */
function isShown({ type, data }: AnyNode, agent: string): boolean {
  return type === "agent" && !data.isOpen && data.drawn.members.includes(agent);
}

const NODE_TYPES = { agent: AgentBox, frame: FrameBox };
const EDGE_TYPES = { flow: FlowLine };
