import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath, Position, useStore } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { useThrottledState } from "../../../session/throttled-state.ts";
import { NAMES_ZOOM } from "./first-view.ts";
import { publishedCount } from "./flow-counts.ts";
import { NODE } from "./layered.ts";
import type { FlowEdge } from "./nodes.ts";
import { useIsFar } from "./zoom.ts";

/** The flow of artifacts between two agents, with a count for each type. */
export function FlowLine({ data, sourceX, sourceY, targetX, targetY }: EdgeProps<FlowEdge>) {
  const isFar = useIsFar();
  const isLegible = useStore(({ transform: [, , zoom] }) => zoom >= NAMES_ZOOM);
  if (!data) return null;
  const { flow, line } = data;
  // Both ends have handle ids for forward flow. Backward flow leaves on the left and enters on the right.
  const isBack = targetX + NODE.width < sourceX - NODE.width;
  const [bent, middleX, middleY] = getBezierPath({
    sourceX: isBack ? sourceX - NODE.width : sourceX,
    sourceY,
    sourcePosition: isBack ? Position.Left : Position.Right,
    targetX: isBack ? targetX + NODE.width : targetX,
    targetY,
    targetPosition: isBack ? Position.Right : Position.Left,
  });
  // Lines of the layout go around nodes. They are invalid once a node has been moved.
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

/** How long a label glows after an artifact, in ms, and the largest number of glowing labels. */
const PULSE_MS = 900;
const PULSES = 24;
let pulses = 0;

function FlowLabel({ source, type }: { source: string; type: string }) {
  const count = useThrottledState(({ artifacts }) => publishedCount(artifacts, source, type));
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
