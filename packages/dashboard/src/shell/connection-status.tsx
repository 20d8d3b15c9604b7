import { RotateCw } from "lucide-react";
import { useEffect, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { connectionSummary, connectionWords, severityOf } from "../connection/status.ts";
import { hiddenWords, useHidden } from "../queries/hidden.ts";
import { session, useSession } from "../session/tab-session.ts";

/** A shape for each state, in addition to the color. */
const SHAPES = {
  live: "rounded-full bg-good",
  busy: "rounded-full border-2 border-busy working",
  offline: "rotate-45 bg-bad",
} as const;

/** The connection status, visible on every screen and in the document title. */
export function ConnectionStatus({ screen }: { screen: string }) {
  const file = useSession(({ file }) => file);
  const narrowed = useSession(({ fileHead }) => fileHead?.narrowed);
  const connection = useSession(({ connection }) => connection);
  const complete = useSession(({ complete }) => complete);
  const offlineSince = useSession(({ offlineSince }) => offlineSince);
  const isBehind = connection.status !== "live" || !complete;
  const last = useSession(({ last }) => (isBehind ? last : 0));
  const missing = useSession(
    useShallow(({ gaps }) => gaps.reduce((sum, gap) => sum + gap.to_seq - gap.from_seq + 1, 0)),
  );
  const at = useSession(({ at }) => at);
  const countsFrom = useSession(({ past }) => past?.from);
  const now = useNow(connection.status === "waiting");
  const input = { connection, complete, last, offlineSince };
  const summary = file ?? connectionSummary(input);
  useEffect(() => {
    document.title = `${summary} · ${screen} · Flock`;
  }, [summary, screen]);
  if (file !== null) {
    return (
      <p role="status" className="flex min-w-0 items-center gap-2 text-sm">
        <span className="size-2.5 shrink-0 border-2 border-soft" aria-hidden="true" />
        <span className="truncate">
          File: {file}
          {narrowed !== undefined && `, only ${narrowed}`}
        </span>
        <HiddenFromViewer />
      </p>
    );
  }
  return (
    <div className="flex min-w-0 items-center gap-2 text-sm">
      <span className={`size-2.5 shrink-0 ${SHAPES[severityOf(input)]}`} aria-hidden="true" />
      {/* Screen readers must not read the seconds of the countdown. */}
      <span role="status" aria-live="off" title={connection.reason ?? undefined} className="truncate tabular-nums">
        {connectionWords(input, now)}
      </span>
      {at !== null && (
        <span className="truncate text-busy tabular-nums">
          showing seq {at.toLocaleString("en")}
          {countsFrom !== undefined && (
            <span title="Agent counts before this seq are not available" className="max-md:sr-only">
              , counted from {countsFrom.toLocaleString("en")}
            </span>
          )}
        </span>
      )}
      <span aria-live="polite" className="sr-only">
        {`Connection: ${summary}`}
      </span>
      {missing > 0 && (
        <span className="hidden whitespace-nowrap text-busy tabular-nums lg:inline">
          {missing.toLocaleString("en")} events missing
        </span>
      )}
      <HiddenFromViewer />
      {connection.status === "waiting" && (
        <button
          type="button"
          className="shrink-0 rounded-md p-1 text-accent underline underline-offset-2"
          onClick={() => session.retryNow()}
        >
          <RotateCw size={16} aria-hidden="true" className="md:hidden" />
          <span className="max-md:sr-only">Retry now</span>
        </button>
      )}
    </div>
  );
}

/** Shows how many events permissions hide, so that the visible ones are not mistaken for all. */
function HiddenFromViewer() {
  const hidden = useHidden();
  if (!hidden || hidden.count === 0) return null;
  return (
    <span
      title={`Events ${hidden.from.toLocaleString("en")} to ${hidden.to.toLocaleString("en")}`}
      className="hidden min-w-0 truncate text-soft tabular-nums lg:inline"
    >
      {hiddenWords(hidden)}
    </span>
  );
}

function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
