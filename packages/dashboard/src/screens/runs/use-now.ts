import { useEffect, useState } from "react";
import { useLive } from "../../session/store.ts";

/** The end of the picture: now, or the moment that the viewer has travelled to. */
export function useNow(): number {
  const at = useLive(({ at }) => at);
  const moment = useLive(({ log }) => log.at(-1)?.timestamp);
  const isOffline = useLive(({ connection, file }) => file !== null || connection.status !== "live");
  const stands = at !== null || isOffline;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (stands) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [stands]);
  return stands && moment !== undefined ? Date.parse(moment) : now;
}
