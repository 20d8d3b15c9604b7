import type { ArtifactTypes } from "@flock-ts/protocol";
import { useEffect, useState } from "react";
import { getJson } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";

/** The server's artifact types, refetched when agents join and after a reconnect. */
export function useArtifactTypes() {
  const config = useSession(({ config }) => config);
  const nodes = useSession(({ state }) => state.nodes);
  const isConnected = useSession(({ connection: { status } }) => status === "live" || status === "catching-up");
  const [types, setTypes] = useState<ArtifactTypes["artifact_types"] | null>(null);
  const [error, setError] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other agents may have other types
  useEffect(() => {
    if (!config || !isConnected) return;
    let isCurrent = true;
    getJson<ArtifactTypes>(`${config.control}/artifact_types`)
      .then(({ artifact_types }) => isCurrent && setTypes(artifact_types))
      .catch((reason: Error) => isCurrent && setError(reason.message));
    return () => {
      isCurrent = false;
    };
  }, [config, nodes, isConnected]);
  return { types, error };
}
