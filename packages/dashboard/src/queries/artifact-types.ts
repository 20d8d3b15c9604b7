import type { ArtifactRecord, ArtifactTypes } from "@flock-ts/protocol";
import { useEffect, useState } from "react";
import { getJson } from "../connection/config.ts";
import { useLive } from "../session/store.ts";

/** The types as the server tells them; asked for anew when agents join and when the connection comes back. */
export function useArtifactTypes() {
  const config = useLive(({ config }) => config);
  const nodes = useLive(({ state }) => state.nodes);
  const isConnected = useLive(({ connection: { status } }) => status === "live" || status === "catching-up");
  const [types, setTypes] = useState<ArtifactTypes["artifact_types"] | null>(null);
  const [error, setError] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other agents may bring other types
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

/** An artifact with its whole payload, as the server has it; `none` when it has none that is called so. */
export function useArtifact(id: string | null): ArtifactRecord | "coming" | "none" {
  const config = useLive(({ config }) => config);
  const [artifact, setArtifact] = useState<ArtifactRecord | "coming" | "none">("coming");
  useEffect(() => {
    setArtifact("coming");
    if (id === null || !config) return;
    let isCurrent = true;
    getJson<ArtifactRecord>(`${config.artifacts}/artifacts/${encodeURIComponent(id)}`)
      .then((found) => isCurrent && setArtifact(found))
      .catch(() => isCurrent && setArtifact("none"));
    return () => {
      isCurrent = false;
    };
  }, [id, config]);
  return artifact;
}
