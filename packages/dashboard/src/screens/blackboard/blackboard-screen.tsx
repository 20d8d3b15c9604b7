import type { ArtifactState } from "@flock/protocol";
import { ArrowLeft } from "lucide-react";
import { memo, useEffect, useMemo, useState } from "react";
import { getJson } from "../../live/config.ts";
import { useLive } from "../../live/store.ts";
import { clock, gist, short } from "../../parts/format.ts";
import { Fact, ListHead, NothingYet, Row, Split } from "../../parts/parts.tsx";
import { Payload } from "../../parts/payload.tsx";
import { Link } from "../../place/link.tsx";
import { type Params, pathOf, usePlace } from "../../place/place.ts";
import { Lineage } from "./lineage.tsx";

/** Artifacts on the list; older ones are reached by their id. */
const LISTED = 300;

/** Every artifact on the blackboard, newest first, and one of them in full. */
export default function BlackboardScreen() {
  const { id, params: filter } = usePlace();
  const artifacts = useLive(({ state }) => state.artifacts);
  const matching = useMemo(() => newestFirst(artifacts.values(), filter), [artifacts, filter]);
  if (artifacts.size === 0 && id === undefined) {
    return (
      <NothingYet>
        The blackboard is empty.{" "}
        <Link href={pathOf("publish")} className="text-accent underline underline-offset-2">
          Publish an artifact
        </Link>
        , here or from code, and it appears.
      </NothingYet>
    );
  }
  const shown = id === undefined ? matching[0] : artifacts.get(id);
  return (
    <Split
      showsDetail={id !== undefined}
      list={
        <>
          <h1 className="sr-only">Artifacts</h1>
          <ListHead filter={filter} all={pathOf("blackboard")} listed={LISTED} total={matching.length} />
          {matching.length === 0 && <NothingYet>No artifact here yet.</NothingYet>}
          <ul aria-label="Artifacts">
            {matching.slice(0, LISTED).map((artifact) => (
              <ArtifactRow
                key={artifact.artifact_id}
                artifact={artifact}
                isShown={artifact === shown}
                href={pathOf("blackboard", artifact.artifact_id, filter)}
              />
            ))}
          </ul>
        </>
      }
      detail={
        shown ? (
          <Artifact key={shown.artifact_id} artifact={shown} back={pathOf("blackboard", undefined, filter)} />
        ) : (
          id !== undefined && (
            <NothingYet>
              This artifact is not known here. Only the newest ones are kept:{" "}
              <Link href={pathOf("blackboard")} className="text-accent underline underline-offset-2">
                show those
              </Link>
              .
            </NothingYet>
          )
        )
      }
    />
  );
}

function newestFirst(artifacts: Iterable<ArtifactState>, { workflow, agent }: Params): ArtifactState[] {
  return [...artifacts]
    .filter(
      ({ correlation_id, produced_by }) =>
        (workflow === undefined || correlation_id === workflow) && (agent === undefined || produced_by === agent),
    )
    .reverse();
}

const ArtifactRow = memo(function ArtifactRow({ artifact, isShown, href }: ArtifactRowProps) {
  return (
    <Row href={href} isShown={isShown}>
      <span className="flex items-baseline justify-between gap-2">
        <span className="truncate font-medium">{artifact.artifact_type}</span>
        <span className="shrink-0 text-xs text-soft tabular-nums">{clock(artifact.timestamp)}</span>
      </span>
      <span className="block truncate text-sm text-soft">{gist(artifact.payload)}</span>
      <span className="flex gap-1.5 text-xs text-soft">
        <span className="truncate">by {artifact.produced_by}</span>
        {artifact.tags.length > 0 && <span className="truncate">· {artifact.tags.join(", ")}</span>}
      </span>
    </Row>
  );
});

interface ArtifactRowProps {
  readonly artifact: ArtifactState;
  readonly isShown: boolean;
  readonly href: string;
}

function Artifact({ artifact, back }: { artifact: ArtifactState; back: string }) {
  const payload = usePayload(artifact);
  return (
    <article className="flex flex-col gap-5 p-4 md:p-6" aria-label={`Artifact ${artifact.artifact_type}`}>
      <Link href={back} className="flex w-fit items-center gap-1 text-sm text-soft md:hidden">
        <ArrowLeft size={16} aria-hidden="true" /> All artifacts
      </Link>
      <h2 className="text-lg font-semibold">{artifact.artifact_type}</h2>
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Fact name="Published">{clock(artifact.timestamp)}</Fact>
        <Fact name="Artifact">
          <span title={artifact.artifact_id}>{short(artifact.artifact_id)}</span>
        </Fact>
        <Fact name="Workflow">
          <Link
            href={pathOf("blackboard", artifact.artifact_id, { workflow: artifact.correlation_id })}
            title={artifact.correlation_id}
            aria-label={`All artifacts of workflow ${short(artifact.correlation_id)}`}
            className="text-accent underline underline-offset-2"
          >
            {short(artifact.correlation_id)}
          </Link>
        </Fact>
        <Fact name="Tags">{artifact.tags.join(", ") || "none"}</Fact>
      </dl>
      <Lineage artifact={artifact} />
      {payload.status === "here" ? (
        <Payload value={payload.value} />
      ) : (
        <p role={payload.status === "failed" ? "alert" : undefined} className="text-sm text-soft">
          {payload.text}
        </p>
      )}
    </article>
  );
}

type Fetched =
  | { readonly status: "here"; readonly value: unknown }
  | { readonly status: "coming" | "failed"; readonly text: string };

/** The payload; fetched when it was too large to come with the event. */
function usePayload({ artifact_id, payload, payload_bytes }: ArtifactState): Fetched {
  const config = useLive(({ config }) => config);
  const [fetched, setFetched] = useState<Fetched>(() =>
    payload_bytes === undefined
      ? { status: "here", value: payload }
      : { status: "coming", text: `Loading ${payload_bytes.toLocaleString("en")} bytes…` },
  );
  useEffect(() => {
    if (payload_bytes === undefined || !config) return;
    getJson<{ payload: unknown }>(`${config.artifacts}/artifacts/${encodeURIComponent(artifact_id)}`)
      .then((artifact) => setFetched({ status: "here", value: artifact.payload }))
      .catch((error: Error) => setFetched({ status: "failed", text: `The payload did not come: ${error.message}` }));
  }, [artifact_id, payload_bytes, config]);
  return fetched;
}
