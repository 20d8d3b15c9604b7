import type { FlockEvent, OrphansRecord } from "@flock-ts/protocol";
import { useEffect, useState } from "react";
import { getJson } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";
import { refetchOn } from "./invalidation.ts";

/** The largest number of runs and artifacts to read. The server's limit. */
const MOST = 500;

/** Returns the address of the routes of orphaned work. */
export function orphansUrl(): string {
  const { config } = useSession.getState();
  return `${config?.deadLetters ?? config?.control ?? ""}/orphans`;
}

/** Reads the orphaned work again, where it is shown. */
const refetches = new Set<() => void>();

/** Reads orphaned work again: no event reports that artifacts have left a former gate. */
export function refetchOrphans(): void {
  for (const refetch of refetches) refetch();
}

/**
 * Reads the work that no agent takes up, regardless of the seq shown. Undefined until it is read, and for viewers other
 * than the owner.
 */
export function useOrphans(): OrphansRecord | undefined {
  const config = useSession(({ config, file }) => (file === null ? config : null));
  const isOwner = useSession(({ connection }) => !connection.limited);
  const [orphans, setOrphans] = useState<OrphansRecord>();
  useEffect(() => {
    if (!config || !isOwner) return;
    let isCurrent = true;
    const read = () => {
      getJson<OrphansRecord>(`${orphansUrl()}?limit=${MOST}`).then(
        (answer) => isCurrent && setOrphans(answer),
        // An older server has no such route, and the dead letters report a server that is unreachable.
        () => {},
      );
    };
    const stop = refetchOn(concernsOrphans, read);
    refetches.add(read);
    return () => {
      isCurrent = false;
      refetches.delete(read);
      stop();
    };
  }, [config, isOwner]);
  return orphans;
}

/** Agents take over orphaned work when they are declared. Dropped runs end as cancelled. */
function concernsOrphans(event: FlockEvent): boolean {
  return (
    event.type === "agent_registered" || (event.type === "agent_execution_completed" && event.status === "cancelled")
  );
}
