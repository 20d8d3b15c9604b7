import { CircleAlert } from "lucide-react";
import { useRef } from "react";
import type { Problem } from "./json-text.ts";

/** A JSON editor: plain text with line numbers and error marks. */
export function JsonEditor({ text, problems, label = "Payload as JSON", onChange }: JsonEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const wrong = new Set(problems.map(({ line }) => line));
  const lines = text.split("\n").length;
  const goTo = ({ offset, length }: Problem) => {
    area.current?.focus();
    area.current?.setSelectionRange(offset, offset + length);
  };
  return (
    <div className="flex h-full flex-col gap-2">
      <div className="grid min-h-40 flex-1 grid-cols-[auto_minmax(0,1fr)] overflow-hidden rounded-xl border border-line bg-card font-mono text-[0.8125rem] leading-6 focus-within:outline-2 focus-within:outline-accent">
        <div
          ref={gutter}
          aria-hidden="true"
          className="overflow-hidden border-r border-line bg-sunken py-3 pr-2 pl-1.5 text-right text-soft tabular-nums select-none"
        >
          {Array.from({ length: Math.min(lines, MAX_NUMBERED) }, (_, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
            <div key={at} className={wrong.has(at + 1) ? "font-bold text-bad" : ""}>
              {wrong.has(at + 1) ? "●" : ""} {at + 1}
            </div>
          ))}
        </div>
        <textarea
          ref={area}
          aria-label={label}
          aria-invalid={problems.length > 0}
          value={text}
          wrap="off"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(change) => onChange(change.target.value)}
          onScroll={({ currentTarget }) => {
            if (gutter.current) gutter.current.scrollTop = currentTarget.scrollTop;
          }}
          className="resize-none overflow-auto bg-card p-3 outline-none!"
        />
      </div>
      <ul
        aria-label="Problems in the JSON"
        aria-live="polite"
        className="max-h-32 shrink-0 overflow-y-auto text-sm text-bad empty:hidden"
      >
        {problems.map((problem) => (
          <li key={`${problem.offset} ${problem.message}`} className="flex items-start gap-1.5">
            <CircleAlert size={14} aria-hidden="true" className="mt-1 shrink-0" />
            <span>
              <button type="button" className="min-h-6 underline underline-offset-2" onClick={() => goTo(problem)}>
                Line {problem.line}, column {problem.column}
              </button>
              : {problem.message}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Limits line numbers: each is an element. */
const MAX_NUMBERED = 5_000;

interface JsonEditorProps {
  readonly text: string;
  readonly problems: readonly Problem[];
  /** Default `Payload as JSON`. */
  readonly label?: string;
  readonly onChange: (text: string) => void;
}
