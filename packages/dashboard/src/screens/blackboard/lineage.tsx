import type { ArtifactState } from "@flock-ts/protocol";
import { useEffect, useMemo, useRef } from "react";
import { useShallow } from "zustand/react/shallow";
import { Link } from "../../router/link.tsx";
import { pathOf, useRoute } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { preview } from "../../timeline/preview.ts";
import { StatusMark } from "../../ui/status.tsx";
import { UNSEEN_WORDS, unseenName, useUnseen } from "../../ui/unseen.ts";
import { type LineageNode, lineageOf } from "./lineage.ts";

/** The size of a node and the distance between two, in px. */
const BOX = { width: 168, height: 58 } as const;
const GAP = { x: 56, y: 10 } as const;

/** The lineage of an artifact: inputs on the left, consumers on the right. Each line is a run. */
export function LineagePicture({ artifact }: { artifact: ArtifactState }) {
  const { runs, artifacts } = useSession(useShallow(({ state }) => ({ runs: state.runs, artifacts: state.artifacts })));
  const { nodes, edges, isCut } = useMemo(
    () => lineageOf({ runs, artifacts }, artifact.artifact_id),
    [runs, artifacts, artifact.artifact_id],
  );
  const isOrphan = useUnseen() === "hidden" && artifact.run_id !== undefined && !runs.has(artifact.run_id);
  const first = Math.min(...nodes.map(({ step }) => step));
  const placed = new Map(
    nodes.map((node) => [
      node.id,
      { node, x: (node.step - first) * (BOX.width + GAP.x), y: node.row * (BOX.height + GAP.y) },
    ]),
  );
  const places = [...placed.values()];
  const width = Math.max(...places.map(({ x }) => x)) + BOX.width;
  const height = Math.max(...places.map(({ y }) => y)) + BOX.height;
  const box = useRef<HTMLDivElement>(null);
  const { x: hereX, y: hereY } = placed.get(artifact.artifact_id) ?? { x: 0, y: 0 };
  // Scrolls to the selected artifact.
  useEffect(() => {
    box.current?.scrollTo(
      hereX - (box.current.clientWidth - BOX.width) / 2,
      hereY - (box.current.clientHeight - BOX.height) / 2,
    );
  }, [hereX, hereY]);
  return (
    <section aria-label="Lineage">
      <h3 className="mb-1.5 text-sm font-medium text-soft">Lineage</h3>
      <div ref={box} className="max-h-[min(45vh,24rem)] overflow-auto rounded-xl border border-line bg-card p-3">
        <div style={{ width, height }} className="relative">
          <svg width={width} height={height} aria-hidden="true" className="absolute inset-0">
            {edges.map(({ from, to, run }) => {
              const a = placed.get(from);
              const b = placed.get(to);
              if (!a || !b) return null;
              const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
              const bend = Math.max(24, (x2 - x1) / 2);
              return (
                <path
                  key={`${from} ${to}`}
                  d={`M ${x1} ${y1} C ${x1 + bend} ${y1}, ${x2 - bend} ${y2}, ${x2} ${y2}`}
                  fill="none"
                  strokeWidth="1.5"
                  stroke={run.status === "error" || run.status === "timeout" ? "var(--bad)" : "var(--soft)"}
                  strokeDasharray={run.status === "running" ? "4 4" : undefined}
                />
              );
            })}
          </svg>
          <ul aria-label="Artifacts and runs">
            {places.map(({ node, x, y }) => (
              <li key={node.id} style={{ left: x, top: y, ...BOX }} className="absolute">
                <Place node={node} />
              </li>
            ))}
          </ul>
        </div>
      </div>
      <p className="mt-1 text-xs text-soft">
        {artifact.run_id === undefined && "Published externally. "}
        {isOrphan && "Its inputs are hidden from you. "}
        {nodes.every(({ step }) => step <= 0) && "Not consumed yet. "}
        {isCut && "Too large to show in full: open an outer artifact to see more."}
      </p>
    </section>
  );
}

/** The labels of runs that published nothing. They must be short. */
const NOTHING: Readonly<Record<string, string>> = {
  success: "published nothing",
  error: "failed",
  timeout: "timed out",
  cancelled: "cancelled",
  interrupted: "interrupted",
};

function Place({ node: { id, kind, artifact, run, step } }: { node: LineageNode }) {
  const { params } = useRoute();
  const unseen = useUnseen();
  const isHere = step === 0;
  if (kind === "run" && run) {
    return (
      <Link
        href={pathOf("runs", run.run_id)}
        title={`${run.agent_id}: ${run.status}`}
        className="flex h-full flex-col justify-center rounded-lg border border-dashed border-line bg-sunken px-2.5 text-xs hover:border-accent"
      >
        <span className="flex items-center gap-1.5 font-medium">
          <StatusMark value={run.status} /> <span className="truncate">{run.agent_id}</span>
        </span>
        <span className="truncate text-soft">{run.status === "running" ? "running" : NOTHING[run.status]}</span>
      </Link>
    );
  }
  return (
    <div
      className={`flex h-full flex-col justify-center rounded-lg border px-2.5 text-xs ${
        isHere ? "border-accent bg-accent-soft" : "border-line bg-card"
      }`}
    >
      <Link
        href={pathOf("blackboard", id, params)}
        aria-current={isHere ? "true" : undefined}
        title={artifact ? preview(artifact.payload) : id}
        className="truncate text-sm leading-6 font-medium underline-offset-2 hover:underline"
      >
        {artifact?.artifact_type ?? unseenName("artifact", unseen, id)}
      </Link>
      {artifact?.run_id === undefined ? (
        <span className="text-soft">{artifact ? artifact.produced_by : UNSEEN_WORDS[unseen]}</span>
      ) : (
        <Link
          href={pathOf("runs", artifact.run_id)}
          className="flex min-h-6 items-center gap-1 text-soft underline-offset-2 hover:underline"
        >
          {run && <StatusMark value={run.status} />}
          <span className="truncate" title={run ? undefined : UNSEEN_WORDS[unseen]}>
            {artifact.produced_by}
            {!run && unseen === "hidden" && ", hidden run"}
          </span>
        </Link>
      )}
    </div>
  );
}
