import { Handle, type NodeProps, Position } from "@xyflow/react";
import { X } from "lucide-react";
import { frameSize } from "./frame.ts";
import type { FrameNode } from "./nodes.ts";
import { toggleGroup } from "./open-groups.ts";
import { useIsFar } from "./zoom.ts";

/** The frame of an open group. The group has the lines, because its agents have the same inputs and outputs. */
export function FrameBox({ data: { frame } }: NodeProps<FrameNode>) {
  const isFar = useIsFar();
  const { of, members } = frame;
  const { consumes, publishes } = of.node;
  const reads = consumes.length > 0 ? ` that consume ${consumes.join(", ")}` : "";
  const writes = publishes.length > 0 ? `${reads ? " and" : " that"} publish ${publishes.join(", ")}` : "";
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
          aria-label={`Collapse ${of.node.label}`}
          onClick={() => toggleGroup(of.group as string)}
          className="nodrag pointer-events-auto rounded-md p-1 hover:text-ink"
        >
          <X size={16} aria-hidden="true" />
        </button>
      </p>
    </section>
  );
}
