import type { PreviewResult, PublishResult } from "@flock-ts/protocol";
import type { RJSFSchema } from "@rjsf/utils";
import { sendJson } from "../../connection/rest.ts";
import { PublishPanel } from "../../forms/publish-panel.tsx";
import { useArtifact } from "../../queries/artifact.ts";
import { useArtifactTypes } from "../../queries/artifact-types.ts";
import { Link } from "../../router/link.tsx";
import { go, pathOf, useRoute } from "../../router/route.ts";
import { session, useSession } from "../../session/tab-session.ts";
import { Empty } from "../../ui/empty.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { OpenQuestions } from "./open-questions.tsx";

/** A form for any artifact type, generated from its JSON Schema. */
export default function PublishScreen() {
  const { id } = useRoute();
  const { types, error } = useArtifactTypes();
  if (!types) {
    if (!error) return <Skeleton />;
    return (
      <Empty>
        Failed to load artifact types: {error}. The page retries after a reconnect. See{" "}
        <Link href={pathOf("system")} className="text-accent underline underline-offset-2">
          Health
        </Link>{" "}
        for details.
      </Empty>
    );
  }
  const chosen = id === undefined ? types[0] : types.find(({ name }) => name === id);
  if (types.length === 0) {
    return <Empty>No artifact types yet. Declare an agent that consumes or publishes one.</Empty>;
  }
  return (
    <div className="h-full scroll-pb-20 overflow-y-auto">
      <div className="mx-auto flex max-w-6xl flex-col gap-5 p-4 md:p-8">
        <OpenQuestions />
        <h1 className="text-lg font-semibold">Publish an artifact</h1>
        <label className="max-w-xl text-sm font-medium">
          Type
          <select
            value={chosen?.name ?? ""}
            onChange={(change) => go(pathOf("publish", change.target.value))}
            className="mt-1 block w-full rounded-lg border border-line bg-card px-2.5 py-2 font-normal"
          >
            {!chosen && <option value="">Choose a type</option>}
            {types.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {chosen ? (
          <PayloadForm key={chosen.name} type={chosen.name} schema={chosen.schema as RJSFSchema} />
        ) : (
          <p className="text-sm text-bad">Unknown artifact type {id}.</p>
        )}
      </div>
    </div>
  );
}

function PayloadForm({ type, schema }: { type: string; schema: RJSFSchema }) {
  const control = useSession(({ config }) => config?.control);
  const from = useRoute().params.from ?? null;
  const artifact = useArtifact(from);
  if (from !== null && artifact === "coming") return <Skeleton />;
  return (
    <PublishPanel
      type={type}
      schema={schema}
      prefill={typeof artifact === "object" ? artifact : undefined}
      publish={(request) => session.call("publish", request)}
      preview={(request) => sendJson<PreviewResult>(`${control}/preview`, request)}
      renderResult={(result) => <PublishedMessage result={result} />}
    />
  );
}

/** The result of publishing, with links. */
function PublishedMessage({ result }: { result: PublishResult }) {
  const { artifact_id, correlation_id, triggered_agents } = result;
  const link = "text-accent underline underline-offset-2";
  return (
    <p className="text-sm leading-6">
      Published.{" "}
      {triggered_agents.length > 0 ? `${triggered_agents.join(", ")} will run. ` : "No agent was triggered. "}
      <Link href={pathOf("blackboard", artifact_id)} className={link}>
        Show artifact
      </Link>
      {triggered_agents.length > 0 && (
        <>
          {" or "}
          <Link href={pathOf("runs", undefined, { workflow: correlation_id })} className={link}>
            show workflow
          </Link>
        </>
      )}
    </p>
  );
}
