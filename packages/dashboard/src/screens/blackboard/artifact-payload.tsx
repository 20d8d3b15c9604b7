import type { ArtifactState } from "@flock-ts/protocol";
import { Pencil } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import type { DashboardConfig } from "../../connection/config.ts";
import { JsonViewer } from "../../json/json-viewer.tsx";
import type { PayloadSource } from "../../json/payload-source.ts";
import { Link } from "../../router/link.tsx";
import { pathOf } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { preview } from "../../timeline/preview.ts";
import { clock, short } from "../../ui/format.ts";
import { quietButton } from "../../ui/quiet-button.ts";

// Loaded on demand.
const DiffViewer = lazy(() => import("../../json/diff-viewer.tsx").then(({ DiffViewer }) => ({ default: DiffViewer })));

/** The number of artifacts of the same type offered for comparison. */
const OFFERED = 50;

/** An artifact's payload, with search, copy, comparison and republishing. */
export function ArtifactPayload({ artifact }: { artifact: ArtifactState }) {
  const { artifact_id: id, artifact_type: type, tags } = artifact;
  const config = useSession(({ config }) => config);
  const artifacts = useSession(({ state }) => state.artifacts);
  const [otherId, compareWith] = useState("");
  const others = useMemo(
    () =>
      [...artifacts.values()]
        .filter((one) => one.artifact_type === type && one.artifact_id !== id)
        .slice(-OFFERED)
        .reverse(),
    [artifacts, type, id],
  );
  const other = others.find(({ artifact_id }) => artifact_id === otherId);
  const source = sourceOf(artifact, config);
  return (
    <section aria-label="Payload">
      <div className="mb-1.5 flex flex-wrap items-center gap-2">
        <h2 className="flex-1 text-sm font-medium text-soft">Payload</h2>
        {others.length > 0 && (
          <select
            aria-label="Compare with"
            value={otherId}
            onChange={(change) => compareWith(change.target.value)}
            className={`${quietButton} max-w-56`}
          >
            <option value="">Compare with…</option>
            {others.map((one) => (
              <option key={one.artifact_id} value={one.artifact_id}>
                {clock(one.timestamp)} {preview(one.payload).slice(0, 60)}
              </option>
            ))}
          </select>
        )}
        <Link href={pathOf("publish", type, { from: id })} className={quietButton}>
          <Pencil size={13} aria-hidden="true" /> Publish again with changes
        </Link>
      </div>
      {other ? (
        <Suspense fallback={<p className="p-4 text-sm text-soft">Comparing…</p>}>
          <DiffViewer
            left={sourceOf(other, config)}
            right={source}
            leftName={`${clock(other.timestamp)} · ${short(other.artifact_id)}`}
            rightName={`${clock(artifact.timestamp)} · ${short(id)}, this artifact`}
          />
        </Suspense>
      ) : (
        <JsonViewer
          source={source}
          copyAs={config ? { type, tags, url: new URL(`${config.control}/publish`, location.href).href } : undefined}
        />
      )}
    </section>
  );
}

/** Returns the source of a payload: the event, or the server if it was too large for the event. */
function sourceOf(
  { artifact_id, payload, payload_bytes }: ArtifactState,
  config: DashboardConfig | null,
): PayloadSource {
  if (payload_bytes === undefined || !config) return { value: payload };
  return { url: `${config.artifacts}/artifacts/${encodeURIComponent(artifact_id)}`, at: ["payload"] };
}
