import type { ArtifactState } from "@flock/protocol";
import { ArrowLeft } from "lucide-react";
import { memo, useMemo } from "react";
import { clock, gist, short } from "../format.ts";
import { Lineage } from "../lineage.tsx";
import { Link } from "../link.tsx";
import { useLive } from "../live.ts";
import { Fact, ListHead, NothingYet, Row, Split } from "../parts.tsx";
import { ArtifactPayload } from "../payload.tsx";
import { type ListFilter, pathOf } from "../routing.ts";

/** Artifacts on the list; older ones are reached by their id. */
const LISTED = 300;

/** Every artifact on the blackboard, newest first, and one of them in full. */
export function ArtifactsScreen({ id, filter }: { id: string | undefined; filter: ListFilter }) {
  const artifacts = useLive(({ state }) => state.artifacts);
  const matching = useMemo(() => newestFirst(artifacts.values(), filter), [artifacts, filter]);
  if (artifacts.size === 0 && id === undefined) {
    return (
      <NothingYet>
        The blackboard is empty.{" "}
        <Link href="/publish" className="text-accent underline underline-offset-2">
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
          <ListHead filter={filter} all={pathOf("artifacts")} listed={LISTED} total={matching.length} />
          {matching.length === 0 && <NothingYet>No artifact here yet.</NothingYet>}
          <ul aria-label="Artifacts">
            {matching.slice(0, LISTED).map((artifact) => (
              <ArtifactRow
                key={artifact.artifact_id}
                artifact={artifact}
                isShown={artifact === shown}
                href={pathOf("artifacts", artifact.artifact_id, filter)}
              />
            ))}
          </ul>
        </>
      }
      detail={
        shown ? (
          <Artifact key={shown.artifact_id} artifact={shown} back={pathOf("artifacts", undefined, filter)} />
        ) : (
          id !== undefined && (
            <NothingYet>
              This artifact is not known here. Only the newest ones are kept:{" "}
              <Link href="/artifacts" className="text-accent underline underline-offset-2">
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

function newestFirst(artifacts: Iterable<ArtifactState>, { workflow, agent }: ListFilter): ArtifactState[] {
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
            href={pathOf("artifacts", artifact.artifact_id, { workflow: artifact.correlation_id })}
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
      <ArtifactPayload artifact={artifact} />
    </article>
  );
}
