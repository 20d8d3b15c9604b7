import { RotateCw } from "lucide-react";
import { useEffect, useState } from "react";
import { connectionSummary, connectionWords } from "./connection-words.ts";
import { useLive } from "./live.ts";

/** How the connection stands: always on the screen, and in the document's title. */
export function ConnectionStatus({ screen }: { screen: string }) {
  const connection = useLive(({ connection }) => connection);
  const client = useLive(({ client }) => client);
  const seq = useLive(({ state, connection }) => (connection.status === "catching-up" ? state.seq : 0));
  const now = useNow(connection.status === "waiting");
  const summary = connectionSummary(connection);
  useEffect(() => {
    document.title = `${summary} · ${screen} · Flock`;
  }, [summary, screen]);
  const color =
    connection.status === "live" ? "bg-good" : connection.status === "closed" ? "bg-bad" : "bg-busy working";
  return (
    <div className="flex min-w-0 items-center gap-2 text-xs whitespace-nowrap md:text-sm">
      <span className={`size-2.5 shrink-0 rounded-full ${color}`} aria-hidden="true" />
      {/* A count of seconds, read aloud each second, would drown everything else. */}
      <span role="status" aria-live="off" title={connection.reason ?? undefined} className="tabular-nums">
        {connectionWords(connection, seq, now)}
      </span>
      <span aria-live="polite" className="sr-only">
        {`Connection: ${summary}`}
      </span>
      {connection.status === "waiting" && (
        <button
          type="button"
          className="shrink-0 text-accent underline underline-offset-2"
          onClick={() => client?.retryNow()}
        >
          <RotateCw size={16} aria-hidden="true" className="md:hidden" />
          <span className="max-md:sr-only">Retry now</span>
        </button>
      )}
    </div>
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
