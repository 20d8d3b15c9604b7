import type { ConnectionState } from "@flock/client";
import { useEffect, useState } from "react";
import { useLive } from "./live.ts";

/** How the connection stands, in words. */
export function words({ status, attempt, retryAt, head }: ConnectionState, seq: number, now: number): string {
  switch (status) {
    case "live":
      return "Live";
    case "catching-up":
      return head > seq ? `Catching up: ${(head - seq).toLocaleString("en")} behind` : "Catching up";
    case "connecting":
      return attempt <= 1 ? "Connecting" : `Connecting (attempt ${attempt})`;
    case "waiting":
      return `Reconnecting in ${Math.max(0, Math.ceil(((retryAt ?? now) - now) / 1_000))} s (attempt ${attempt + 1})`;
    case "closed":
      return "Disconnected";
  }
}

export function ConnectionStatus() {
  const connection = useLive(({ connection }) => connection);
  const client = useLive(({ client }) => client);
  const seq = useLive(({ state, connection }) => (connection.status === "catching-up" ? state.seq : 0));
  const now = useNow(connection.status === "waiting");
  const text = words(connection, seq, now);
  useEffect(() => {
    document.title = text === "Live" ? "Flock" : `${text.split(/[:(]/)[0]?.trim()} · Flock`;
  }, [text]);
  const color =
    connection.status === "live" ? "bg-good" : connection.status === "closed" ? "bg-bad" : "bg-busy working";
  return (
    <div className="flex items-center gap-2 text-sm">
      <span className={`size-2.5 shrink-0 rounded-full ${color}`} aria-hidden="true" />
      <span role="status" title={connection.reason ?? undefined} className="tabular-nums">
        {text}
      </span>
      {connection.status === "waiting" && (
        <button type="button" className="underline underline-offset-2" onClick={() => client?.retryNow()}>
          Retry now
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
