import type { PreviewResult } from "@flock-ts/protocol";
import { CircleDashed, Zap } from "lucide-react";

const REASONS: Record<string, string> = {
  visibility: "would not run: the artifact is not visible to it, or not yet",
  tags: "would not run: it consumes other tags",
  condition: "would not run: its condition is false",
  error: "would not run: its condition throws an error",
};

/** The preview: which agents an artifact would trigger, and what the others still wait for. */
export function TriggerPreview({ preview }: { preview: PreviewResult }) {
  const { gates, excluded } = preview;
  if (gates.length + excluded.length === 0) {
    return <p className="text-sm text-soft">No agent consumes this type. It would only be stored on the blackboard.</p>;
  }
  const order = [...gates].sort((a, b) => Number(b.wakes) - Number(a.wakes));
  return (
    <ul aria-label="Agents" className="flex flex-col gap-1 text-sm">
      {order.map(({ agent_id, gate, wakes, key, missing }) => (
        <li key={`${agent_id} ${gate}`} className="flex items-start gap-2">
          {wakes ? (
            <Zap size={15} aria-hidden="true" className="mt-0.5 shrink-0 text-good" />
          ) : (
            <CircleDashed size={15} aria-hidden="true" className="mt-0.5 shrink-0 text-busy" />
          )}
          <span>
            <strong className="font-semibold">{agent_id}</strong>{" "}
            {wakes ? "would run" : `would wait for ${listed(missing)}${key === undefined ? "" : ` with key ${key}`}`}
          </span>
        </li>
      ))}
      {excluded.map(({ agent_id, gate, reason }) => (
        <li key={`${agent_id} ${gate}`} className="flex items-start gap-2 text-soft">
          <span aria-hidden="true" className="w-[15px] shrink-0 text-center">
            –
          </span>
          <span>
            <strong className="font-semibold">{agent_id}</strong> {REASONS[reason] ?? `would not run: ${reason}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

function listed(missing: PreviewResult["gates"][number]["missing"]): string {
  const parts = Object.entries(missing).map(([type, count]) => (count > 1 ? `${count} × ${type}` : type));
  return parts.join(" and ") || "its timer";
}
