import { FlockClientError } from "@flock/client";
import type { ArtifactTypes, Issue } from "@flock/protocol";
// Not from the index, which takes a second validator along.
import Form from "@rjsf/core/lib/components/Form.js";
import type { RJSFSchema, UiSchema } from "@rjsf/utils";
import { useEffect, useState } from "react";
import { Link } from "../link.tsx";
import { getJson, useLive } from "../live.ts";
import { Empty } from "../parts.tsx";
import { go, pathOf } from "../routing.ts";
import { errorSchemaOf, schemaValidator } from "../schema-validator.ts";

type Outcome = { readonly artifactId: string; readonly triggered: readonly string[] } | { readonly error: string };

export default function PublishScreen({ id }: { id: string | undefined }) {
  const config = useLive(({ config }) => config);
  const [types, setTypes] = useState<ArtifactTypes["artifact_types"] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const agents = useLive(({ state }) => state.nodes);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other agents may bring other types
  useEffect(() => {
    if (!config) return;
    getJson<ArtifactTypes>(`${config.control}/artifact_types`)
      .then(({ artifact_types }) => setTypes(artifact_types))
      .catch((reason: Error) => setError(reason.message));
  }, [config, agents]);
  if (error) return <Empty>{error}</Empty>;
  if (!types) return <Empty>Loading…</Empty>;
  const chosen = types.find(({ name }) => name === id) ?? types[0];
  if (!chosen) return <Empty>This flock knows no artifact type yet.</Empty>;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-2xl flex-col gap-5 p-4 md:p-8">
        <h1 className="text-lg font-semibold">Publish an artifact</h1>
        <label className="text-sm font-medium">
          Type
          <select
            value={chosen.name}
            onChange={(change) => go(pathOf("publish", change.target.value))}
            className="mt-1 block w-full rounded-lg border border-line bg-sunken px-2.5 py-2 font-normal"
          >
            {types.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <PayloadForm key={chosen.name} type={chosen.name} schema={chosen.schema as RJSFSchema} />
      </div>
    </div>
  );
}

function PayloadForm({ type, schema }: { type: string; schema: RJSFSchema }) {
  const client = useLive(({ client }) => client);
  const [data, setData] = useState<unknown>();
  const [issues, setIssues] = useState<readonly Issue[]>([]);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [busy, setBusy] = useState(false);
  const publish = async (payload: unknown) => {
    setBusy(true);
    setIssues([]);
    try {
      const { artifact_id, triggered_agents } = await (client as NonNullable<typeof client>).publish({
        artifact_type: type,
        payload,
      });
      setOutcome({ artifactId: artifact_id, triggered: triggered_agents });
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
        schema={withoutTitle(schema)}
        uiSchema={uiOf(schema)}
        validator={schemaValidator}
        formData={data}
        extraErrors={errorSchemaOf(issues)}
        showErrorList={false}
        focusOnFirstError
        noHtml5Validate
        onChange={({ formData }) => {
          setData(formData);
          setOutcome(null);
        }}
        onSubmit={({ formData }) => void publish(formData)}
      >
        <button
          type="submit"
          disabled={busy || !client}
          className="mt-5 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent disabled:opacity-60"
        >
          {busy ? "Publishing…" : `Publish ${type}`}
        </button>
      </Form>
      <div aria-live="polite">
        {outcome &&
          ("error" in outcome ? (
            <p role="alert" className="text-sm text-bad">
              {outcome.error}
            </p>
          ) : (
            <p className="text-sm">
              Published.{" "}
              {outcome.triggered.length > 0
                ? `${outcome.triggered.join(", ")} will run. `
                : "No agent was waiting for it. "}
              <Link href={pathOf("artifacts", outcome.artifactId)} className="text-accent underline underline-offset-2">
                Show the artifact
              </Link>
            </p>
          ))}
      </div>
    </>
  );
}

/** The type's name stands above already. */
function withoutTitle({ title: _title, $schema: _dialect, ...schema }: RJSFSchema): RJSFSchema {
  return schema;
}

/** Long texts get room. */
function uiOf(schema: RJSFSchema): UiSchema {
  const ui: UiSchema = { "ui:submitButtonOptions": { norender: false } };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (typeof property !== "object" || property.type !== "string" || property.enum) continue;
    if (/text|body|content|description|summary|prompt/i.test(name)) ui[name] = { "ui:widget": "textarea" };
  }
  return ui;
}
