import type { ArtifactState } from "@flock/protocol";
import { ArrowLeft } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { clock, gist, short } from "../format.ts";
import { Link } from "../link.tsx";
import { getJson, useLive } from "../live.ts";
import { Empty, Fact, Json, Split } from "../parts.tsx";
import { pathOf } from "../routing.ts";

const LISTED = 300;

export function ArtifactsScreen({ id }: { id: string | undefined }) {
  const artifacts = useLive(({ state }) => state.artifacts);
  const newest = useMemo(() => [...artifacts.values()].slice(-LISTED).reverse(), [artifacts]);
  if (newest.length === 0 && id === undefined) {
    return <Empty>The blackboard is empty. Publish an artifact, here or from code, and it appears.</Empty>;
  }
  const shown = id === undefined ? newest[0] : artifacts.get(id);
  return (
    <Split
      showsDetail={id !== undefined}
      list={
        <ul aria-label="Artifacts">
          {newest.map((artifact) => (
            <li key={artifact.artifact_id}>
              <Link
                href={pathOf("artifacts", artifact.artifact_id)}
                aria-current={artifact === shown ? "true" : undefined}
                className={`block border-b border-line px-4 py-2.5 hover:bg-sunken ${artifact === shown ? "bg-sunken" : ""}`}
              >
                <span className="flex items-baseline justify-between gap-2">
                  <span className="truncate font-medium">{artifact.artifact_type}</span>
                  <span className="text-xs text-soft tabular-nums">{clock(artifact.timestamp)}</span>
                </span>
                <span className="block truncate text-xs text-soft">{gist(artifact.payload)}</span>
              </Link>
            </li>
          ))}
        </ul>
      }
      detail={
        shown ? <Artifact key={shown.artifact_id} artifact={shown} /> : <Empty>This artifact is not known here.</Empty>
      }
    />
  );
}

function Artifact({ artifact }: { artifact: ArtifactState }) {
  const runs = useLive(({ state }) => state.runs);
  const consumers = [...runs.values()].filter(({ consumed }) => consumed.includes(artifact.artifact_id));
  const payload = usePayload(artifact);
  return (
    <article className="flex flex-col gap-4 p-4 md:p-6" aria-label={`Artifact ${artifact.artifact_type}`}>
      <Link href="/artifacts" className="flex items-center gap-1 text-sm text-soft md:hidden">
        <ArrowLeft size={16} aria-hidden="true" /> All artifacts
      </Link>
      <h1 className="text-lg font-semibold">{artifact.artifact_type}</h1>
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Fact name="Published">{clock(artifact.timestamp)}</Fact>
        <Fact name="By">
          {artifact.run_id === undefined ? (
            artifact.produced_by
          ) : (
            <Link href={pathOf("runs", artifact.run_id)} className="text-accent underline underline-offset-2">
              {artifact.produced_by}
            </Link>
          )}
        </Fact>
        <Fact name="Workflow">{short(artifact.correlation_id)}</Fact>
        <Fact name="Tags">{artifact.tags.join(", ") || "none"}</Fact>
        <Fact name="Consumed by">
          {consumers.length === 0
            ? "nobody yet"
            : consumers.map(({ run_id, agent_id }, index) => (
                <span key={run_id}>
                  {index > 0 && ", "}
                  <Link href={pathOf("runs", run_id)} className="text-accent underline underline-offset-2">
                    {agent_id}
                  </Link>
                </span>
              ))}
        </Fact>
      </dl>
      <Json value={payload} />
    </article>
  );
}

/** The payload; fetched when it was too large to come with the event. */
function usePayload({ artifact_id, payload, payload_bytes }: ArtifactState): unknown {
  const config = useLive(({ config }) => config);
  const [fetched, setFetched] = useState<unknown>(payload);
  useEffect(() => {
    if (payload_bytes === undefined || !config) return;
    setFetched(`Loading ${payload_bytes.toLocaleString()} bytes…`);
    getJson<{ payload: unknown }>(`${config.artifacts}/artifacts/${encodeURIComponent(artifact_id)}`)
      .then((artifact) => setFetched(artifact.payload))
      .catch((error: Error) => setFetched(error.message));
  }, [artifact_id, payload_bytes, config]);
  return payload_bytes === undefined ? payload : fetched;
}
