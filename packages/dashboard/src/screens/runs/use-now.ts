import { useEffect, useState } from "react";
import { useSession } from "../../session/tab-session.ts";

/** Returns the end of the time axis: now, or the moment that is shown. */
export function useNow(): number {
  const at = useSession(({ at }) => at);
  const moment = useSession(({ log }) => log.at(-1)?.timestamp);
  const isOffline = useSession(({ connection, file }) => file !== null || connection.status !== "live");
  const stands = at !== null || isOffline;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (stands) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [stands]);
  return stands && moment !== undefined ? Date.parse(moment) : now;
}
