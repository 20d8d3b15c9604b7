import type { Issue } from "@flock-ts/protocol";
// Not from the index, which includes a second validator.
import Form from "@rjsf/core/lib/components/Form.js";
import type { RJSFSchema } from "@rjsf/utils";
import { type ReactNode, useId, useMemo, useRef, useState } from "react";
import { formSchemaOf, isAnything, payloadOf, uiSchemaOf } from "./form-schema.ts";
import { formFields, formTemplates } from "./form-templates.tsx";
import { JsonEditor } from "./json-editor.tsx";
import { type Problem, readJson, spotOf } from "./json-text.ts";
import { errorSchemaOf, issuesOf, validatorOf } from "./schema-validator.ts";
import "./schema-form.css";

/**
 * A form that follows a JSON Schema, and the same value as JSON. Changes in one appear in the other. Independent of
 * artifacts and the server, so that it can edit any value with a schema.
 */
export function SchemaForm({ schema, submitLabel, onSubmit, ...props }: SchemaFormProps) {
  const { title, description, deadline, value, issues = [], isBusy = false, complaint, onChange, children } = props;
  const form = useMemo(() => {
    const meant = (data: unknown) => payloadOf(schema, data ?? (schema.type === "object" ? {} : data));
    return { schema: formSchemaOf(schema), ui: uiSchemaOf(schema), meant, validator: validatorOf(schema, meant) };
  }, [schema]);
  const [data, setData] = useState(value);
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [isLong] = useState(text.length > MAX_FORM);
  const hasForm = !isAnything(schema) && !isLong;
  const [view, setView] = useState<"form" | "json">(hasForm ? "form" : "json");
  const [isRefused, setRefused] = useState(false);
  /** The errors of local validation. */
  const found = isRefused && !isUnread(text) ? issuesOf(schema, form.meant(data)) : NO_ISSUES;
  const ref = useRef<Form>(null);
  const titleId = useId();

  const broken = useMemo(() => {
    const read = text.trim() === "" ? undefined : readJson(text);
    return read && "problem" in read ? read.problem : undefined;
  }, [text]);
  const problems: Problem[] = broken
    ? [broken]
    : [...issues, ...found].map(({ path, message }) => ({
        ...spotOf(text, path),
        message: path.length > 0 ? `${path.join(".")} ${message}` : message,
      }));

  /** The form fills in defaults. A text that is being edited is not changed. */
  const isTyped = useRef(value !== undefined);
  const fromForm = (data: unknown, field: string | undefined) => {
    setData(data);
    if (field === undefined && isTyped.current) return;
    isTyped.current = false;
    setText(data === undefined ? "" : JSON.stringify(form.meant(data), null, 2));
    setRefused(false);
    onChange?.(form.meant(data));
  };
  const fromText = (text: string) => {
    isTyped.current = true;
    setText(text);
    setRefused(false);
    const read = text.trim() === "" ? { value: undefined } : readJson(text);
    if ("problem" in read) return;
    setData(read.value);
    onChange?.(read.value);
  };
  const submit = () => {
    setRefused(false);
    if (broken) {
      // The form still has the previous value.
      setView("json");
      setRefused(true);
    } else if (hasForm) ref.current?.submit();
    else if (data === undefined) setRefused(true);
    else onSubmit(data);
  };
  return (
    <section aria-labelledby={title === undefined ? undefined : titleId} className="flex flex-col gap-4">
      {title !== undefined && (
        <h2 id={titleId} className="text-lg font-semibold">
          {title}
        </h2>
      )}
      {description !== undefined && <p className="max-w-prose text-sm whitespace-pre-wrap text-soft">{description}</p>}
      {deadline !== undefined && (
        <p className="text-sm text-busy">
          Answer by <time dateTime={deadline}>{new Date(deadline).toLocaleString()}</time>
        </p>
      )}
      <fieldset className="flex w-fit rounded-lg border border-line bg-card p-0.5 text-sm lg:hidden">
        <legend className="sr-only">Edit as</legend>
        {(["form", "json"] as const).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={view === each}
            onClick={() => setView(each)}
            className="rounded-md px-3 py-1 text-soft aria-pressed:bg-sunken aria-pressed:font-semibold aria-pressed:text-accent"
          >
            {each === "form" ? "Form" : "JSON"}
          </button>
        ))}
      </fieldset>
      <div className="grid gap-4 lg:grid-cols-2">
        <div className={`min-w-0 ${view === "form" ? "" : "max-lg:hidden"}`}>
          {hasForm ? (
            <Form
              ref={ref}
              // A page may have several forms.
              idPrefix={titleId}
              className="schema-form rounded-xl border border-line bg-card p-4 md:p-5"
              schema={form.schema}
              uiSchema={form.ui}
              validator={form.validator}
              templates={formTemplates}
              fields={formFields}
              // An optional object without any filled field is absent.
              omitExtraData
              formData={data}
              extraErrors={errorSchemaOf(issues)}
              showErrorList={false}
              focusOnFirstError
              noHtml5Validate
              onChange={({ formData }, field) => fromForm(formData, field)}
              onError={() => setRefused(true)}
              onSubmit={({ formData }) => onSubmit(form.meant(formData))}
            >
              {/* Enter in a field submits the form. */}
              <button type="submit" hidden>
                {submitLabel}
              </button>
            </Form>
          ) : (
            <p className="rounded-xl border border-line bg-card p-5 text-sm text-soft">
              {isLong ? "Too large for a form. Edit it as JSON." : "This type accepts any JSON. Edit it as JSON."}
            </p>
          )}
        </div>
        <div className="flex min-w-0 flex-col gap-4 self-start lg:sticky lg:top-4">
          <div className={`h-[26rem] max-h-[60vh] ${view === "json" ? "" : "max-lg:hidden"}`}>
            <JsonEditor text={text} problems={problems} onChange={fromText} />
          </div>
          {children}
        </div>
      </div>
      <div className="sticky bottom-0 z-1 flex flex-wrap items-center gap-3 bg-page py-3">
        <button
          type="button"
          disabled={isBusy}
          onClick={submit}
          className="rounded-lg bg-accent px-4 py-2 font-medium text-on-accent disabled:opacity-60"
        >
          {submitLabel}
        </button>
        <p role="status" className="text-sm break-words text-bad">
          {isRefused ? (broken ? "The JSON is invalid." : "Not sent. Correct the marked fields.") : complaint}
        </p>
      </div>
    </section>
  );
}

const NO_ISSUES: readonly Issue[] = [];
/** Larger values are edited as text, in characters of JSON. A form would block the page for seconds. */
const MAX_FORM = 60_000;

/** Whether a text is not valid JSON. */
function isUnread(text: string): boolean {
  return text.trim() !== "" && "problem" in readJson(text);
}

export interface SchemaFormProps {
  /** The JSON Schema 2020-12 of the value. */
  readonly schema: RJSFSchema;
  /** The question to answer. */
  readonly title?: string;
  readonly description?: string;
  /** The deadline, ISO 8601. */
  readonly deadline?: string;
  /** The initial value. To replace it, give the form another `key`. */
  readonly value?: unknown;
  /** Errors found elsewhere, such as by the server, shown at their fields. */
  readonly issues?: readonly Issue[];
  /** Errors of the whole value. */
  readonly complaint?: string | undefined;
  readonly submitLabel: string;
  readonly isBusy?: boolean;
  /** The current value, valid or not. */
  readonly onChange?: (value: unknown) => void;
  /** Called with a value that matches the schema. */
  readonly onSubmit: (value: unknown) => void;
  /** Shown next to the form, below the JSON. */
  readonly children?: ReactNode;
}
