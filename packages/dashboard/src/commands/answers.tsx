import { Check, CircleAlert, CircleHelp, Info, LoaderCircle, X } from "lucide-react";
import { Link } from "../router/link.tsx";
import { linkOf, pathOf } from "../router/route.ts";
import { clock } from "../ui/format.ts";
import type { Action, Stage } from "./actions.ts";
import { actions } from "./tab-actions.ts";

const LOOKS: Record<Stage, { readonly icon: typeof Check; readonly color: string }> = {
  sent: { icon: LoaderCircle, color: "text-busy" },
  answered: { icon: LoaderCircle, color: "text-busy" },
  seen: { icon: Check, color: "text-good" },
  unchanged: { icon: Info, color: "text-soft" },
  refused: { icon: CircleAlert, color: "text-bad" },
  unknown: { icon: CircleHelp, color: "text-busy" },
};

const LINK = "text-accent underline underline-offset-2";

/** The outcome of an action: the seq from which on it is visible, or the error and what to do about it. */
export function AnswerLine({ action }: { action: Action }) {
  const { name, stage, words, seq, runId, at } = action;
  const { icon: Icon, color } = LOOKS[stage];
  return (
    <div className="flex items-start gap-2 text-sm">
      <Icon
        size={15}
        aria-hidden="true"
        className={`mt-0.5 shrink-0 ${color} ${stage === "sent" || stage === "answered" ? "motion-safe:animate-spin" : ""}`}
      />
      <p className="min-w-0 flex-1 break-words">
        <span className="font-medium">{name}</span>{" "}
        <time dateTime={new Date(at).toISOString()} className="text-xs text-soft tabular-nums">
          {clock(new Date(at).toISOString()).slice(0, 8)}
        </time>
        <br />
        {stage === "sent" && <>Waiting for the server{words && ` (${words})`}…</>}
        {stage === "answered" && (
          <>
            {words} Waiting for seq {seq?.toLocaleString("en")}.
          </>
        )}
        {stage === "seen" && seq !== null && (
          <>
            {words}{" "}
            <Link href={linkOf({ screen: "events", id: String(seq), seq, params: {} })} className={LINK}>
              Visible from seq {seq.toLocaleString("en")}
            </Link>
          </>
        )}
        {(stage === "unchanged" || stage === "refused" || stage === "unknown") && words}
        {runId !== undefined && (stage === "seen" || stage === "answered") && (
          <>
            {" · "}
            <Link href={pathOf("runs", runId)} className={LINK}>
              Show run
            </Link>
          </>
        )}
      </p>
    </div>
  );
}

/** An action's outcome as a notice on any screen. */
export function AnswerCard({ action }: { action: Action }) {
  return (
    <div className="pointer-events-auto flex w-full max-w-xl items-start gap-3 rounded-xl border border-line bg-card px-4 py-3 shadow-lg">
      <div className="min-w-0 flex-1">
        <AnswerLine action={action} />
      </div>
      <button
        type="button"
        aria-label={`Dismiss: ${action.name}`}
        onClick={() => actions.dismiss(action.id)}
        className="rounded-md p-1 text-soft hover:text-ink"
      >
        <X size={16} aria-hidden="true" />
      </button>
    </div>
  );
}
