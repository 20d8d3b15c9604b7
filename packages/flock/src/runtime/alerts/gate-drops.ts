import { allOf, type EventVisibility } from "@flock-ts/protocol";
import { z } from "zod";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { type AnyArtifactType, artifact, type Draft, type PayloadOf } from "../../blackboard/artifact-type.ts";
import { seenTogether } from "../../blackboard/by-visibility.ts";
import { tenantOf } from "../../blackboard/visibility.ts";
import { depthOf } from "../runs/activation.ts";

const shape = {
  /** The agent whose gate dropped the artifacts. */
  agent: z.string(),
  /** Which of its gates, as in `gate_progress`. */
  gate: z.string(),
  /** The join key; absent for a gate without one. */
  key: z.string().optional(),
  /** Ids of the dropped artifacts, in order of arrival. */
  artifact_ids: z.array(z.string()),
};

/**
 * Reports artifacts that left a gate because their window (`join.within`) passed before the others arrived. Published
 * in the same commit, in the workflow of the oldest of them, if an agent consumes it: for reminders and partial answers.
 * Principals that may see all of the artifacts may see it.
 *
 * @example
 * flock.agent("reminder").consumes(JoinExpired, { where: ({ payload }) => payload.agent === "matcher" })
 */
export const JoinExpired = artifact(
  "JoinExpired",
  z.object({
    ...shape,
    /** Ids of artifacts with the same key that still wait, in order of arrival. */
    waiting_ids: z.array(z.string()),
    /** How many artifacts of each type the group lacked. */
    missing: z.record(z.string(), z.int().min(1)),
  }),
);

/**
 * Reports a complete group that `whereGroup` rejected. Published like {@link JoinExpired}, if an agent consumes it.
 *
 * @example
 * flock.agent("arbiter").consumes(GroupRefused)
 */
export const GroupRefused = artifact("GroupRefused", z.object(shape));

/** The payload of a {@link JoinExpired}. */
export type JoinExpiredPayload = PayloadOf<typeof JoinExpired>;
/** The payload of a {@link GroupRefused}. */
export type GroupRefusedPayload = PayloadOf<typeof GroupRefused>;

/** Artifacts that left a gate unused. */
export interface Dropped {
  readonly reason: "expired" | "full" | "refused";
  readonly key: string | undefined;
  /** In order of arrival. Not empty. */
  readonly artifacts: readonly StoredArtifact[];
}

/** A draft that reports artifacts, with what it has from them. */
export interface GateAlert {
  readonly draft: Draft;
  readonly correlationId: string;
  readonly depth: number;
  readonly visibility: EventVisibility | undefined;
}

/** Returns the type that reports drops for a reason; undefined when none does. */
export function alertTypeOf(reason: Dropped["reason"]): AnyArtifactType | undefined {
  return { expired: JoinExpired, refused: GroupRefused, full: undefined }[reason];
}

/** Creates the report of dropped artifacts. `waiting`: the artifacts with the same key that still wait. */
export function gateAlertOf(
  { agentId, gate, requires, principal }: Subscription,
  { reason, key, artifacts }: Dropped,
  waiting: readonly StoredArtifact[],
): GateAlert {
  const about = { agent: agentId, gate, ...(key === undefined ? {} : { key }), artifact_ids: idsOf(artifacts) };
  const left = reason === "expired" ? waiting : [];
  return {
    draft:
      reason === "expired"
        ? JoinExpired({
            ...about,
            waiting_ids: idsOf(left),
            missing: Object.fromEntries(
              [...requires]
                .map(
                  ([type, n]) => [type, n - [...artifacts, ...left].filter((one) => one.type === type).length] as const,
                )
                .filter(([, n]) => n > 0),
            ),
          })
        : GroupRefused(about),
    correlationId: (artifacts[0] as StoredArtifact).correlationId,
    depth: depthOf(artifacts),
    visibility: allOf([tenantOf(principal), seenTogether([...artifacts, ...left])]),
  };
}

function idsOf(artifacts: readonly StoredArtifact[]): string[] {
  return artifacts.map(({ id }) => id);
}
