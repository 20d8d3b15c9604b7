import type { AgentInfo, ArtifactTypes } from "@flock-ts/protocol";
import type { RJSFSchema } from "@rjsf/utils";
import { ArrowLeft, Check } from "lucide-react";
import { useMemo, useState } from "react";
import { AnswerLine } from "../../commands/answers.tsx";
import { invokeAgent } from "../../commands/commands.ts";
import { useActions, usePending } from "../../commands/tab-actions.ts";
import { useWhyNot } from "../../commands/why-not.ts";
import { SchemaForm } from "../../forms/schema-form.tsx";
import { useAgentInfos } from "../../queries/agents.ts";
import { useArtifact } from "../../queries/artifact.ts";
import { useArtifactTypes } from "../../queries/artifact-types.ts";
import { Link } from "../../router/link.tsx";
import { adjust, go, pathOf, useRoute } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { preview } from "../../timeline/preview.ts";
import { Empty } from "../../ui/empty.tsx";
import { clock, short } from "../../ui/format.ts";
import { Skeleton } from "../../ui/skeleton.tsx";

const FIELD = "mt-1 block w-full rounded-lg border border-line bg-card px-2.5 py-2 font-normal";

/** The number of artifacts offered as an input. */
const OFFERED = 50;

/** Runs one agent with chosen inputs, bypassing its gates. */
export function Invoke({ agent }: { agent: string }) {
  const infos = useAgentInfos();
  const agents = useSession(({ state }) => state.agents);
  const file = useSession(({ file }) => file);
  const { types, error } = useArtifactTypes();
  const why = useWhyNot();
  const info = infos.get(agent);
  const names = [...new Set([...agents.keys(), agent])];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <div tabIndex={0} className="h-full scroll-pb-20 overflow-y-auto -outline-offset-2">
      <div className="mx-auto flex max-w-6xl flex-col gap-5 p-4 md:p-8">
        <Link
          href={pathOf("control")}
          className="flex w-fit items-center gap-1 rounded-lg border border-line px-2 py-1 text-sm text-soft hover:text-ink"
        >
          <ArrowLeft size={14} aria-hidden="true" /> Control
        </Link>
        <h1 className="text-lg font-semibold">Invoke an agent</h1>
        <p className="max-w-prose text-sm text-soft">
          Publishes the inputs and runs only this agent, bypassing its gates.
        </p>
        <label className="max-w-xl text-sm font-medium">
          Agent
          <select
            value={agent}
            onChange={(change) => go(pathOf("control", undefined, { invoke: change.target.value }))}
            className={FIELD}
          >
            {names.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        {why !== null && (
          <p role="status" className="rounded-xl border border-busy bg-card px-4 py-2.5 text-sm text-busy">
            {why}
          </p>
        )}
        {file !== null ? null : error !== null && !types ? (
          <Empty>Failed to load artifact types: {error}</Empty>
        ) : !types || (infos.size === 0 && agents.has(agent)) ? (
          <Skeleton />
        ) : !info ? (
          <p className="text-sm text-bad">
            No agent {agent} on this server, or it is hidden from you. Choose another agent.
          </p>
        ) : info.subscriptions.length === 0 ? (
          <p className="text-sm text-soft">{agent} consumes no artifacts, so it has no inputs.</p>
        ) : (
          <Inputs info={info} types={types} />
        )}
      </div>
    </div>
  );
}

/** A choice between the agent's gates, and a form for the inputs of the chosen one. */
function Inputs({ info, types }: { info: AgentInfo; types: ArtifactTypes["artifact_types"] }) {
  const { name, subscriptions } = info;
  const { params } = useRoute();
  const chosen = subscriptions.find(({ gate }) => gate === params.gate) ?? subscriptions[0];
  const wanted = useMemo(
    () => Object.entries(chosen?.requires ?? {}).flatMap(([type, count]) => new Array<string>(count).fill(type)),
    [chosen],
  );
  return (
    <>
      {subscriptions.length > 1 && (
        <label className="max-w-xl text-sm font-medium">
          Inputs
          <select
            value={chosen?.gate}
            onChange={(change) => adjust({ params: { gate: change.target.value } })}
            className={FIELD}
          >
            {subscriptions.map(({ gate, requires }) => (
              <option key={gate} value={gate}>
                {Object.entries(requires)
                  .map(([type, count]) => (count > 1 ? `${count} × ${type}` : type))
                  .join(" and ")}
              </option>
            ))}
          </select>
        </label>
      )}
      <Given key={`${chosen?.gate}`} agent={name} wanted={wanted} types={types} />
    </>
  );
}

interface GivenProps {
  readonly agent: string;
  /** The types of the inputs. */
  readonly wanted: readonly string[];
  readonly types: ArtifactTypes["artifact_types"];
}

/** One form per input. Submitting the last completed one invokes the agent. */
function Given({ agent, wanted, types }: GivenProps) {
  const [taken, setTaken] = useState<ReadonlyMap<number, unknown>>(new Map());
  const [workflow, setWorkflow] = useState("");
  const why = useWhyNot();
  const isBusy = usePending(`invoke ${agent}`);
  const newest = useActions(({ actions }) => actions.findLast(({ key }) => key === `invoke ${agent}`));
  const send = (payloads: ReadonlyMap<number, unknown>) =>
    void invokeAgent({
      agent_id: agent,
      inputs: wanted.map((type, index) => ({ artifact_type: type, payload: payloads.get(index) })),
      ...(workflow.trim() === "" ? {} : { correlation_id: workflow.trim() }),
    });
  const take = (index: number, payload: unknown) => {
    const now = new Map(taken).set(index, payload);
    setTaken(now);
    if (wanted.length === 1 && why === null) send(now);
  };
  const isWhole = wanted.every((_, index) => taken.has(index));
  return (
    <>
      {wanted.map((type, index) => {
        const schema = types.find(({ name }) => name === type)?.schema;
        const nth = wanted.slice(0, index).filter((other) => other === type).length;
        const title = wanted.filter((other) => other === type).length > 1 ? `${type} ${nth + 1}` : type;
        return schema ? (
          <Input
            // biome-ignore lint/suspicious/noArrayIndexKey: the inputs of a gate stay in their order
            key={index}
            title={title}
            type={type}
            schema={schema as RJSFSchema}
            taken={wanted.length > 1 ? taken.get(index) : undefined}
            submitLabel={wanted.length === 1 ? (isBusy ? "Invoking…" : `Invoke ${agent}`) : `Use as ${title}`}
            isBusy={isBusy || (wanted.length === 1 && why !== null)}
            onTake={(payload) => take(index, payload)}
            onChange={() => {
              const without = new Map(taken);
              without.delete(index);
              setTaken(without);
            }}
          />
        ) : (
          <p key={title} className="text-sm text-soft">
            {type} has no form: no agent that you can see declares it.
          </p>
        );
      })}
      <label className="max-w-xl text-sm font-medium">
        Workflow (leave empty for a new one)
        <input value={workflow} onChange={(change) => setWorkflow(change.target.value)} className={FIELD} />
      </label>
      {wanted.length > 1 && (
        <button
          type="button"
          disabled={!isWhole || isBusy || why !== null}
          onClick={() => send(taken)}
          className="w-fit rounded-lg bg-accent px-4 py-2 font-medium text-on-accent disabled:opacity-60"
        >
          {isBusy
            ? "Invoking…"
            : isWhole
              ? `Invoke ${agent}`
              : `Invoke ${agent}: ${wanted.length - taken.size} inputs missing`}
        </button>
      )}
      <div role="status" aria-label="Result" className="min-h-12">
        {newest && <AnswerLine action={newest} />}
      </div>
    </>
  );
}

interface InputProps {
  readonly title: string;
  readonly type: string;
  readonly schema: RJSFSchema;
  /** Its value, once valid. */
  readonly taken: unknown;
  readonly submitLabel: string;
  readonly isBusy: boolean;
  readonly onTake: (payload: unknown) => void;
  readonly onChange: () => void;
}

/** One input: a new value, or a copy of an existing artifact. */
function Input({ title, type, schema, taken, submitLabel, isBusy, onTake, onChange }: InputProps) {
  const [from, setFrom] = useState<string | null>(null);
  const artifacts = useSession(({ state }) => state.artifacts);
  const offered = useMemo(
    () =>
      [...artifacts.values()]
        .filter(({ artifact_type }) => artifact_type === type)
        .slice(-OFFERED)
        .reverse(),
    [artifacts, type],
  );
  const picked = useArtifact(from);
  if (taken !== undefined) {
    return (
      <p className="flex flex-wrap items-center gap-3 rounded-xl border border-line bg-card px-4 py-2.5 text-sm">
        <Check size={15} aria-hidden="true" className="text-good" />
        <span className="font-medium">{title}</span>
        <span className="min-w-0 flex-1 truncate text-soft">{preview(taken)}</span>
        <button type="button" onClick={onChange} className="text-accent underline underline-offset-2">
          Change
        </button>
      </p>
    );
  }
  return (
    <section aria-label={`Input ${title}`} className="flex flex-col gap-4">
      {offered.length > 0 && (
        <label className="max-w-xl text-sm font-medium">
          {title}: start from an existing artifact
          <select value={from ?? ""} onChange={(change) => setFrom(change.target.value || null)} className={FIELD}>
            <option value="">New artifact</option>
            {offered.map((one) => (
              <option key={one.artifact_id} value={one.artifact_id}>
                {clock(one.timestamp).slice(0, 8)} {preview(one.payload).slice(0, 60) || short(one.artifact_id)}
              </option>
            ))}
          </select>
        </label>
      )}
      {picked === "none" && from !== null && (
        <p role="alert" className="text-sm text-bad">
          This artifact is no longer retained. Choose another, or write a new one.
        </p>
      )}
      {from !== null && picked === "coming" ? (
        <Skeleton />
      ) : (
        <SchemaForm
          key={from ?? ""}
          schema={schema}
          title={title}
          value={typeof picked === "object" ? picked.payload : undefined}
          submitLabel={submitLabel}
          isBusy={isBusy}
          onSubmit={onTake}
        />
      )}
    </section>
  );
}
