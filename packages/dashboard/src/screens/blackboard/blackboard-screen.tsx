import type { ArtifactState } from "@flock-ts/protocol";
import { ArrowDown, ArrowLeft, ArrowUp } from "lucide-react";
import { useDeferredValue, useMemo } from "react";
import { Link } from "../../router/link.tsx";
import { type Params, pathOf, useParam, useRoute } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { preview } from "../../timeline/preview.ts";
import { Choice } from "../../ui/choice.tsx";
import { Chosen } from "../../ui/chosen.tsx";
import { Fact } from "../../ui/fact.tsx";
import { Filter } from "../../ui/filter.tsx";
import { audience, clock, short } from "../../ui/format.ts";
import { IdFact } from "../../ui/id-fact.tsx";
import { NothingYet } from "../../ui/nothing-yet.tsx";
import { useRowList } from "../../ui/row-list.ts";
import { UNSEEN_WORDS, useUnseen } from "../../ui/unseen.ts";
import { useThrottled } from "../../ui/use-throttled.ts";
import { WorkflowFact } from "../../ui/workflow-fact.tsx";
import { ArtifactPayload } from "./artifact-payload.tsx";
import { LineagePicture } from "./lineage.tsx";
import { type Column, listed } from "./sorting.ts";

const ROW_PX = 36;
/** From this number of artifacts on, the table updates less often than each frame. */
const MANY = 2_000;

/** All artifacts on the blackboard, and the details of one. */
export default function BlackboardScreen() {
  const { id, params } = useRoute();
  const unseen = useUnseen();
  const artifacts = useSession(({ state }) => state.artifacts);
  const calm = useThrottled(artifacts, artifacts.size > MANY ? 500 : 0);
  const wanted = useDeferredValue(params);
  const list = useMemo(() => listed(calm.values(), wanted), [calm, wanted]);
  if (artifacts.size === 0 && id === undefined) {
    return (
      <NothingYet>
        The blackboard is empty.{" "}
        <Link href={pathOf("publish")} className="text-accent underline underline-offset-2">
          Publish an artifact
        </Link>
        here or from code.
      </NothingYet>
    );
  }
  const shown = id === undefined ? undefined : artifacts.get(id);
  return (
    <div
      className={`grid h-full grid-cols-[minmax(0,1fr)] ${id === undefined ? "" : "lg:grid-cols-[minmax(18rem,2fr)_minmax(0,3fr)]"}`}
    >
      <div
        className={`min-h-0 min-w-0 flex-col border-line bg-card lg:flex ${id === undefined ? "flex" : "hidden lg:border-r"}`}
      >
        <h1 className="sr-only">Blackboard</h1>
        <ArtifactFilter artifacts={calm} listed={list.length} />
        {list.length === 0 ? (
          <NothingYet>No matching artifacts. Remove a filter to see more.</NothingYet>
        ) : (
          <Table list={list} shown={id} params={params} isNarrow={id !== undefined} />
        )}
      </div>
      {id !== undefined && (
        <div className="min-h-0 min-w-0 overflow-y-auto">
          {shown ? (
            <Artifact key={shown.artifact_id} artifact={shown} params={params} />
          ) : (
            <NothingYet>
              No such artifact at this seq. It may be unpublished, or {UNSEEN_WORDS[unseen]}.{" "}
              <Link href={pathOf("blackboard")} className="text-accent underline underline-offset-2">
                Show latest artifacts
              </Link>{" "}
            </NothingYet>
          )}
        </div>
      )}
    </div>
  );
}

/** The filter of the table. */
function ArtifactFilter({ artifacts, listed }: { artifacts: ReadonlyMap<string, ArtifactState>; listed: number }) {
  const { types, producers } = useMemo(() => {
    const types = new Set<string>();
    const producers = new Set<string>();
    for (const { artifact_type, produced_by } of artifacts.values()) {
      types.add(artifact_type);
      producers.add(produced_by);
    }
    return { types: [...types].sort(), producers: [...producers].sort() };
  }, [artifacts]);
  return (
    <Filter things="artifacts" params={["type", "agent", "tag"]} count={listed}>
      <Choice param="type" label="Type" none="Any type" choices={types} />
      <Choice param="agent" label="Producer" none="Any producer" choices={producers} />
      <Chosen param="tag" />
    </Filter>
  );
}

interface TableProps {
  readonly list: readonly ArtifactState[];
  readonly shown: string | undefined;
  readonly params: Params;
  /** Whether only the most important columns fit. */
  readonly isNarrow: boolean;
}

/** Up to a hundred thousand rows, of which only the visible ones are rendered. */
function Table({ list, shown, params, isNarrow }: TableProps) {
  const { box, height, rows, handlers } = useRowList(list, idOf, ROW_PX, shown);
  const columns = isNarrow
    ? "grid-cols-[6.5rem_minmax(0,1fr)_minmax(0,1.5fr)]"
    : "grid-cols-[minmax(0,1fr)_minmax(0,1.5fr)] md:grid-cols-[6.5rem_minmax(0,1fr)_minmax(0,3fr)_minmax(0,1fr)_6rem_minmax(0,0.7fr)]";
  const wide = isNarrow ? "hidden" : "max-md:hidden";
  return (
    <div ref={box} {...handlers} className="min-h-0 flex-1 overflow-y-auto text-sm">
      <table aria-label="Artifacts" aria-rowcount={list.length + 1} className="block">
        <thead className="sticky top-0 z-1 block bg-card">
          <tr
            className={`grid gap-3 border-b border-l-3 border-b-line border-l-transparent px-4 text-left text-xs text-soft ${columns}`}
          >
            <Head column="published" name="Published" className={isNarrow ? "" : "max-md:hidden"} />
            <Head column="type" name="Type" />
            <th scope="col" className="py-2 font-normal">
              Payload{" "}
            </th>
            <Head column="producer" name="Producer" className={wide} />
            <th scope="col" className={`py-2 font-normal ${wide}`}>
              Workflow
            </th>
            <th scope="col" className={`py-2 font-normal ${wide}`}>
              Tags
            </th>
          </tr>
        </thead>
        <tbody style={{ height }} className="relative block">
          {rows.map(({ one: artifact, key, index, start, tabIndex }) => {
            const { artifact_id, artifact_type, timestamp, payload, produced_by, correlation_id, tags } = artifact;
            const isShown = artifact_id === shown;
            return (
              <tr
                key={key}
                data-row={key}
                aria-rowindex={index + 2}
                style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
                className={`absolute inset-x-0 grid items-center gap-3 border-b border-l-3 border-b-line px-4 hover:bg-sunken ${columns} ${
                  isShown ? "border-l-accent bg-accent-soft" : "border-l-transparent"
                }`}
              >
                <td className={`text-xs text-soft tabular-nums ${isNarrow ? "" : "max-md:hidden"}`}>
                  {clock(timestamp)}
                </td>
                <td title={artifact_type} className="truncate font-medium">
                  <Link
                    href={pathOf("blackboard", artifact_id, params)}
                    tabIndex={tabIndex}
                    aria-current={isShown ? "true" : undefined}
                    className="-outline-offset-2 after:absolute after:inset-0"
                  >
                    {artifact_type}
                  </Link>
                </td>
                <td title={preview(payload)} className="truncate text-soft">
                  {preview(payload)}
                </td>
                <td title={produced_by} className={`truncate ${wide}`}>
                  {produced_by}
                </td>
                <td className={`truncate font-mono text-xs text-soft ${wide}`} title={correlation_id}>
                  {short(correlation_id)}
                </td>
                <td title={tags.join(", ")} className={`truncate text-soft ${wide}`}>
                  {tags.join(", ")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function idOf({ artifact_id }: ArtifactState): string {
  return artifact_id;
}

/** A sortable column header. A second click reverses the order. */
function Head({ column, name, className = "" }: { column: Column; name: string; className?: string }) {
  const [sort, setSort] = useParam("sort");
  const now = sort || "-published";
  const isHere = now.replace(/^-/, "") === column;
  const isDown = now.startsWith("-");
  return (
    <th
      scope="col"
      aria-sort={isHere ? (isDown ? "descending" : "ascending") : "none"}
      className={`py-1 font-normal ${className}`}
    >
      <button
        type="button"
        onClick={() => setSort(isHere && !isDown ? `-${column}` : column)}
        className="flex items-center gap-1 rounded-md py-1 hover:text-ink"
      >
        {name}
        {isHere && (isDown ? <ArrowDown size={12} aria-hidden="true" /> : <ArrowUp size={12} aria-hidden="true" />)}
      </button>
    </th>
  );
}

function Artifact({ artifact, params }: { artifact: ArtifactState; params: Params }) {
  return (
    <article className="flex flex-col gap-5 p-4 md:p-6" aria-label={`Artifact ${artifact.artifact_type}`}>
      <header className="flex items-center gap-3">
        <h2 className="text-xl font-semibold tracking-tight">{artifact.artifact_type}</h2>
        <Link
          href={pathOf("blackboard", undefined, params)}
          className="ml-auto flex items-center gap-1 rounded-lg border border-line px-2 py-1 text-sm text-soft hover:text-ink"
        >
          <ArrowLeft size={14} aria-hidden="true" /> All artifacts
        </Link>
      </header>
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        <Fact name="Published">{clock(artifact.timestamp)}</Fact>
        <Fact name="Producer">{artifact.produced_by}</Fact>
        <Fact name="Seq">
          <span className="font-mono text-xs">#{artifact.seq.toLocaleString("en")}</span>
        </Fact>
        <IdFact name="Artifact" id={artifact.artifact_id} />
        <WorkflowFact
          id={artifact.correlation_id}
          things="artifacts"
          href={pathOf("blackboard", artifact.artifact_id, { workflow: artifact.correlation_id })}
        />
        <Fact name="Tags">{artifact.tags.join(", ") || "none"}</Fact>
        {artifact.visibility.kind !== "public" && <Fact name="Visible to">{audience(artifact.visibility)}</Fact>}
      </dl>
      <LineagePicture artifact={artifact} />
      <ArtifactPayload artifact={artifact} />
    </article>
  );
}
