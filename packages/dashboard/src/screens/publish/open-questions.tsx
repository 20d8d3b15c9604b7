import type { Issue, OpenQuestion } from "@flock-ts/protocol";
import type { RJSFSchema } from "@rjsf/utils";
import { useState } from "react";
import { SchemaForm } from "../../forms/schema-form.tsx";
import { readQuestions, useQuestions } from "../../queries/questions.ts";
import { useSession } from "../../session/tab-session.ts";

/** The open questions of agents, each with a form for the answer. Renders nothing without questions. */
export function OpenQuestions() {
  const open = useQuestions(({ open }) => open);
  const [answered, setAnswered] = useState<string>();
  return (
    <>
      <p role="status" className="text-sm text-good empty:hidden">
        {answered !== undefined && `Answered: ${answered}`}
      </p>
      {open.length > 0 && (
        <section aria-label="Open questions" className="flex flex-col gap-6 border-b border-line pb-6">
          {open.map((question) => (
            <Question key={question.id} request={question} onAnswered={() => setAnswered(question.question)} />
          ))}
        </section>
      )}
    </>
  );
}

function Question({ request, onAnswered }: { request: OpenQuestion; onAnswered: () => void }) {
  const control = useSession(({ config }) => config?.control);
  const [problem, setProblem] = useState<{ readonly message: string; readonly issues: readonly Issue[] }>();
  const [isBusy, setBusy] = useState(false);
  const { id, question, details, deadline, asked_by, answer_type, answer_schema } = request;
  const send = async (payload: unknown) => {
    if (control === undefined) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const response = await fetch(`${control}/questions/${encodeURIComponent(id)}/answer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ payload }),
      });
      const body = await response.json().catch(() => undefined);
      if (response.ok) onAnswered();
      else {
        const { message = `the server returned ${response.status}`, issues = [] } = body?.error ?? {};
        setProblem({ message, issues });
      }
      // Also when another user answered first, which closes the question.
      if (response.ok || response.status === 404 || response.status === 409) await readQuestions({ control });
    } catch (error) {
      setProblem({ message: (error as Error).message, issues: [] });
    } finally {
      setBusy(false);
    }
  };
  const detailsText =
    details === undefined ? "" : typeof details === "string" ? details : JSON.stringify(details, null, 2);
  return (
    <SchemaForm
      schema={answer_schema as RJSFSchema}
      title={question}
      description={`${asked_by} is waiting for your answer of type ${answer_type}.${detailsText && `\n\n${detailsText}`}`}
      {...(deadline === undefined ? {} : { deadline })}
      value={request.default}
      submitLabel={isBusy ? "Answering…" : "Answer"}
      isBusy={isBusy}
      issues={problem?.issues ?? NO_ISSUES}
      complaint={problem?.message}
      onChange={() => setProblem(undefined)}
      onSubmit={(payload) => void send(payload)}
    />
  );
}

const NO_ISSUES: readonly Issue[] = [];
