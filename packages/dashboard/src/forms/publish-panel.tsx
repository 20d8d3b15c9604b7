import type { Issue, PreviewResult, PublishResult } from "@flock-ts/protocol";
import type { RJSFSchema } from "@rjsf/utils";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { type RecentPayload, RecentPayloads } from "./recent-payloads.ts";
import { SchemaForm } from "./schema-form.tsx";
import { issuesOf } from "./schema-validator.ts";
import { TriggerPreview } from "./trigger-preview.tsx";

/** The artifact to publish. */
export interface Publishing {
  readonly artifact_type: string;
  readonly payload: unknown;
  readonly tags: string[];
}

/** The initial content of the form. */
export interface Prefill {
  readonly payload: unknown;
  readonly tags?: readonly string[];
}

/** The delay of the preview after the last change, in ms. */
const ASK_AFTER = 350;

const recent = new RecentPayloads({
  // Accessing storage throws where it is forbidden.
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, value),
});

/** Publishes artifacts of one type by form or JSON, with recent payloads and a preview. */
export function PublishPanel(props: PublishPanelProps) {
  const characters = useMemo(() => JSON.stringify(props.prefill?.payload ?? null).length, [props.prefill]);
  if (characters <= MAX_TEXT) return <Panel {...props} />;
  return (
    <p className="rounded-xl border border-line bg-card p-5 text-sm">
      This payload has {(characters / 1_000_000).toLocaleString("en", { maximumFractionDigits: 1 })} million characters,
      too many to edit in a browser. Copy it as curl from the artifact, and edit it in a file.
    </p>
  );
}

/** Longer text fields respond slowly to each key, in characters. */
const MAX_TEXT = 2_000_000;

function Panel({ type, schema, prefill, publish, preview, renderResult }: PublishPanelProps) {
  const [content, setContent] = useState<{ readonly number: number; readonly from: Prefill | undefined }>({
    number: 0,
    from: prefill,
  });
  const [tags, setTags] = useState(prefill?.tags?.join(", ") ?? "");
  const [payload, setPayload] = useState(prefill?.payload);
  const [problem, setProblem] = useState<{ readonly message: string; readonly issues: readonly Issue[] }>();
  const [result, setResult] = useState<PublishResult>();
  const [isBusy, setBusy] = useState(false);
  const recentPayloads = recent.of(type);
  const request = (payload: unknown): Publishing => ({ artifact_type: type, payload, tags: tagsOf(tags) });
  const fill = (from: Prefill | undefined) => {
    setContent(({ number }) => ({ number: number + 1, from }));
    setTags(from?.tags?.join(", ") ?? "");
    setPayload(from?.payload);
    setProblem(undefined);
    setResult(undefined);
  };
  const send = async (payload: unknown) => {
    setBusy(true);
    setProblem(undefined);
    setResult(undefined);
    try {
      setResult(await publish(request(payload)));
      recent.add(type, { payload, tags: tagsOf(tags), at: new Date().toISOString() });
    } catch (error) {
      const { message, issues = [] } = error as Error & { issues?: readonly Issue[] };
      setProblem({ message, issues });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex flex-col gap-4">
      <SchemaForm
        key={content.number}
        schema={schema}
        value={content.from?.payload}
        submitLabel={isBusy ? "Publishing…" : `Publish ${type}`}
        isBusy={isBusy}
        issues={problem?.issues ?? NO_ISSUES}
        complaint={problem?.message}
        onChange={(payload) => {
          setPayload(payload);
          setProblem(undefined);
          setResult(undefined);
        }}
        onSubmit={(payload) => void send(payload)}
      >
        <label className="max-w-xl text-sm font-medium">
          Tags, comma-separated
          <input
            value={tags}
            onChange={(change) => setTags(change.target.value)}
            className="mt-1 block w-full rounded-lg border border-line bg-card px-2.5 py-2 font-normal"
          />
        </label>
        <Preview request={request(payload)} schema={schema} preview={preview} />
        {recentPayloads.length > 0 && <Recent payloads={recentPayloads} onPick={fill} />}
      </SchemaForm>
      <div aria-live="polite" className="min-h-12">
        {result && renderResult(result)}
      </div>
    </div>
  );
}

const NO_ISSUES: readonly Issue[] = [];

interface PublishPanelProps {
  readonly type: string;
  readonly schema: RJSFSchema;
  /** The initial content, such as an artifact to republish. */
  readonly prefill?: Prefill | undefined;
  /** Rejects with an error that may have `issues`, each with the path of its field. */
  readonly publish: (request: Publishing) => Promise<PublishResult>;
  /** Rejects when publishing fails. */
  readonly preview: (request: Publishing) => Promise<PreviewResult>;
  /** The content to show after publishing. */
  readonly renderResult: (result: PublishResult) => ReactNode;
}

function Recent({
  payloads,
  onPick,
}: {
  payloads: readonly RecentPayload[];
  onPick: (payload: RecentPayload) => void;
}) {
  return (
    <label className="max-w-xl text-sm font-medium">
      Start from a recent payload
      <select
        value=""
        onChange={(change) => {
          const picked = payloads[Number(change.target.value)];
          if (picked) onPick(picked);
        }}
        className="mt-1 block w-full rounded-lg border border-line bg-card px-2.5 py-2 font-normal"
      >
        <option value="">Choose a payload</option>
        {payloads.map(({ at, payload }, index) => (
          <option key={at + String(index)} value={index}>
            {new Date(at).toLocaleTimeString()} {JSON.stringify(payload).slice(0, 100)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The preview, refreshed after typing stops; nothing while the payload is invalid. */
function Preview({ request, schema, preview }: PreviewProps) {
  const [shown, show] = useState<PreviewResult | "none" | "asking">("asking");
  const said = JSON.stringify(request);
  const ask = useRef(preview);
  ask.current = preview;
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      // The server would only reject an invalid payload.
      if (issuesOf(schema, (JSON.parse(said) as Publishing).payload).length > 0) return show("none");
      ask.current(JSON.parse(said)).then(
        (result) => isCurrent && show(result),
        () => isCurrent && show("none"),
      );
    }, ASK_AFTER);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [said, schema]);
  return (
    <section aria-label="Preview: triggered agents" className="min-h-16 rounded-xl border border-line bg-card p-4">
      <h3 className="mb-1.5 text-sm font-medium text-soft">Preview: triggered agents</h3>
      {shown === "asking" ? (
        <p className="text-sm text-soft">Loading…</p>
      ) : shown === "none" ? (
        <p className="text-sm text-soft">Fill in the fields to see which agents would run.</p>
      ) : (
        <TriggerPreview preview={shown} />
      )}
    </section>
  );
}

type PreviewProps = Pick<PublishPanelProps, "schema" | "preview"> & { readonly request: Publishing };

function tagsOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}
