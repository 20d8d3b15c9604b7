import { FlockClientError } from "@flock/client";
import type { ArtifactTypes, Issue, PublishResult } from "@flock/protocol";
// Not from the index, which takes a second validator along.
import Form from "@rjsf/core/lib/components/Form.js";
import type { RJSFSchema, RJSFValidationError } from "@rjsf/utils";
import { useEffect, useMemo, useState } from "react";
import { formSchemaOf, payloadOf, uiSchemaOf } from "../../form-schema.ts";
import { formTemplates } from "../../form-templates.tsx";
import { getJson } from "../../live/config.ts";
import { command, useLive } from "../../live/store.ts";
import { Empty } from "../../parts/parts.tsx";
import { Link } from "../../place/link.tsx";
import { go, pathOf, usePlace } from "../../place/place.ts";
import { errorSchemaOf, schemaValidator } from "../../schema-validator.ts";

type Outcome = PublishResult | { readonly error: string };

/** A form for any artifact type, made from its JSON Schema. */
export default function PublishScreen() {
  const { id } = usePlace();
  const { types, error } = useArtifactTypes();
  if (!types) return error ? <Empty>The artifact types did not come: {error}</Empty> : <Empty>Loading…</Empty>;
  const chosen = id === undefined ? types[0] : types.find(({ name }) => name === id);
  if (types.length === 0) {
    return (
      <Empty>This flock knows no artifact type yet. An agent that consumes or publishes one makes it known.</Empty>
    );
  }
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-2xl flex-col gap-5 p-4 md:p-8">
        <h1 className="text-lg font-semibold">Publish an artifact</h1>
        <label className="text-sm font-medium">
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
          <p className="text-sm text-bad">This flock knows no artifact type {id}.</p>
        )}
      </div>
    </div>
  );
}

/** The types as the server tells them; asked for anew when agents join and when the connection comes back. */
function useArtifactTypes() {
  const config = useLive(({ config }) => config);
  const nodes = useLive(({ state }) => state.nodes);
  const isConnected = useLive(({ connection: { status } }) => status === "live" || status === "catching-up");
  const [types, setTypes] = useState<ArtifactTypes["artifact_types"] | null>(null);
  const [error, setError] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other agents may bring other types
  useEffect(() => {
    if (!config || !isConnected) return;
    let isCurrent = true;
    getJson<ArtifactTypes>(`${config.control}/artifact_types`)
      .then(({ artifact_types }) => isCurrent && setTypes(artifact_types))
      .catch((reason: Error) => isCurrent && setError(reason.message));
    return () => {
      isCurrent = false;
    };
  }, [config, nodes, isConnected]);
  return { types, error };
}

function PayloadForm({ type, schema }: { type: string; schema: RJSFSchema }) {
  const isConnected = useLive(({ config, file }) => config !== null && file === null);
  const form = useMemo(() => ({ schema: formSchemaOf(schema), ui: uiSchemaOf(schema) }), [schema]);
  const [data, setData] = useState<unknown>();
  const [tags, setTags] = useState("");
  const [issues, setIssues] = useState<readonly Issue[]>([]);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isBusy, setBusy] = useState(false);
  const publish = async (payload: unknown) => {
    setBusy(true);
    setIssues([]);
    setOutcome(null);
    try {
      const said = tags.split(",").map((tag) => tag.trim());
      setOutcome(
        await command("publish", {
          artifact_type: type,
          payload,
          tags: [...new Set(said.filter(Boolean))],
        }),
      );
    } catch (error) {
      if (error instanceof FlockClientError) setIssues(error.issues);
      setOutcome({ error: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Form
        className="schema-form rounded-xl border border-line bg-card p-4 md:p-6"
        schema={form.schema}
        uiSchema={form.ui}
        validator={schemaValidator}
        templates={formTemplates}
        // Who has filled in nothing of an optional object, or nothing any more, has not begun one.
        omitExtraData
        formData={data}
        extraErrors={errorSchemaOf(issues)}
        showErrorList={false}
        focusOnFirstError
        noHtml5Validate
        onChange={({ formData }) => {
          setData(formData);
          setOutcome(null);
          setIssues([]);
        }}
        onError={(errors) => setOutcome({ error: complaintOf(errors) })}
        onSubmit={({ formData }) => void publish(payloadOf(schema, formData ?? {}))}
      >
        <label className="mt-4">
          Tags, with commas between them
          <input value={tags} onChange={(change) => setTags(change.target.value)} className="mt-1" />
        </label>
        <button
          type="submit"
          disabled={isBusy || !isConnected}
          className="mt-5 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent disabled:opacity-60"
        >
          {isBusy ? "Publishing…" : `Publish ${type}`}
        </button>
      </Form>
      <div aria-live="polite" className="min-h-12">
        {outcome && <Told outcome={outcome} />}
      </div>
    </>
  );
}

/** What became of it, and where to look on. */
function Told({ outcome }: { outcome: Outcome }) {
  if ("error" in outcome) {
    return <p className="text-sm break-words text-bad">{outcome.error}</p>;
  }
  const { artifact_id, correlation_id, triggered_agents } = outcome;
  const link = "text-accent underline underline-offset-2";
  return (
    <p className="text-sm leading-6">
      Published.{" "}
      {triggered_agents.length > 0 ? `${triggered_agents.join(", ")} will run. ` : "No agent was waiting for it. "}
      <Link href={pathOf("blackboard", artifact_id)} className={link}>
        Show the artifact
      </Link>
      {triggered_agents.length > 0 && (
        <>
          {" or "}
          <Link href={pathOf("runs", undefined, { workflow: correlation_id })} className={link}>
            watch the workflow
          </Link>
        </>
      )}
    </p>
  );
}

/** Where to look when a long form was sent too early; each of the fields says what is wrong with it. */
function complaintOf(errors: readonly RJSFValidationError[]): string {
  const fields = [...new Set(errors.map(({ property }) => property || "the artifact as a whole"))];
  return `Not published yet. To be looked at: ${fields.join(", ")}.`;
}
