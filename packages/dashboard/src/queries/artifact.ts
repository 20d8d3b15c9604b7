import type { ArtifactRecord } from "@flock-ts/protocol";
import { useEffect, useState } from "react";
import { getJson } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";

/** Reads an artifact with its full payload from the server; `none` when it does not exist. */
export function useArtifact(id: string | null): ArtifactRecord | "coming" | "none" {
  const config = useSession(({ config }) => config);
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
