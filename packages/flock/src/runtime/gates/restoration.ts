import { type StoredArtifact, takenUp } from "../../blackboard/artifact.ts";
import type { AnyArtifactType } from "../../blackboard/artifact-type.ts";
import { readable } from "../../core/wire-error.ts";
import type { GateContents, GatheredArtifact } from "../../store/store.ts";
import type { Gate, Waiting } from "./gate.ts";

/**
 * Why an artifact that waited in a gate fits no gate of today. `unknown_agent`: its agent is not declared. `no_gate`: the
 * agent does not consume its type any more. `visibility`: the agent may not see it. `condition`: no gate accepts it.
 * `invalid_payload`: it does not fit the schema of its type.
 */
export type StrandedReason = "unknown_agent" | "no_gate" | "visibility" | "condition" | "invalid_payload";

/** An artifact that waited in a gate which is no longer there. It stays in the store. */
export interface StrandedArtifact {
  /** The agent whose gate it waited in. */
  readonly agentId: string;
  /** The gate, such as `Order + Payment, by key`. */
  readonly gate: string;
  readonly artifact: StoredArtifact;
  readonly reason: StrandedReason;
  /** What the schema or a condition of the agent has thrown, if anything. */
  readonly error?: Error | undefined;
}

/** An artifact that has to be offered to a gate of today. */
export interface Moved {
  readonly from: GatheredArtifact;
  readonly artifact: StoredArtifact;
  readonly to: Gate;
}

/** What to do with the artifacts that waited in an agent's gates. */
export interface Restoration {
  /** What gates contain, and how many artifacts they have taken in. */
  readonly kept: ReadonlyMap<Gate, { readonly waiting: readonly Waiting[]; readonly taken: number }>;
  /** In order of arrival. */
  readonly moved: readonly Moved[];
  readonly stranded: readonly StrandedArtifact[];
}

interface Candidate {
  readonly from: GatheredArtifact;
  readonly artifact: StoredArtifact;
  readonly key: string | undefined;
}

/**
 * Matches what waited in the gates of an agent with the gates that it has today. A gate is identified by what it collects,
 * not by its place among the agent's subscriptions. Join keys are computed again, because `join.by` may have changed.
 * Has no side effects.
 *
 * @param gates all gates of the agent.
 * @param formerNames earlier names of the agent, whose artifacts it takes over.
 */
export function restorationOf(
  agentId: string,
  gates: readonly Gate[],
  formerNames: readonly string[],
  { gathered, taken }: GateContents,
): Restoration {
  const same = new Map<Gate, Candidate[]>();
  const moved: Moved[] = [];
  const stranded: StrandedArtifact[] = [];
  const strand = (from: GatheredArtifact, reason: StrandedReason, thrown?: unknown) => {
    const error = thrown === undefined ? undefined : (readable(thrown) as Error);
    stranded.push({ agentId: from.agentId, gate: from.gate, artifact: from.artifact, reason, error });
  };
  const move = (from: GatheredArtifact, artifact: StoredArtifact, candidates: readonly Gate[]) => {
    const seen = candidates.filter(({ subscription }) => subscription.sees(artifact));
    let error: unknown;
    for (const to of seen) {
      try {
        if (to.subscription.accepts(artifact)) return void moved.push({ from, artifact, to });
      } catch (thrown) {
        error ??= thrown;
      }
    }
    strand(from, seen.length === 0 ? "visibility" : "condition", error);
  };

  for (const from of gathered) {
    if (from.agentId !== agentId && !formerNames.includes(from.agentId)) continue;
    const able = gates.filter(({ subscription }) => subscription.types.has(from.artifact.type));
    const [first] = able;
    if (!first) {
      strand(from, "no_gate");
      continue;
    }
    let artifact: StoredArtifact;
    try {
      artifact = takenUp(from.artifact, first.subscription.types.get(from.artifact.type) as AnyArtifactType);
    } catch (error) {
      strand(from, "invalid_payload", error);
      continue;
    }
    const home = able.find(({ subscription: { identity, isSingle } }) => !isSingle && identity === from.gate);
    if (!home || from.agentId !== agentId) move(from, artifact, byLikeness(able, from.gate));
    else if (!home.subscription.sees(artifact)) strand(from, "visibility");
    else {
      try {
        const candidate = { from, artifact, key: home.subscription.keyOf(artifact) };
        const candidates = same.get(home);
        if (candidates) candidates.push(candidate);
        else same.set(home, [candidate]);
      } catch (error) {
        strand(from, "condition", error);
      }
    }
  }

  const kept = new Map<Gate, { waiting: Waiting[]; taken: number }>();
  for (const gate of gates) {
    const { identity } = gate.subscription;
    const count = taken.find((one) => one.agentId === agentId && one.gate === identity)?.taken ?? 0;
    const waiting: Waiting[] = [];
    const candidates = same.get(gate) ?? [];
    const isRekeyed = candidates.some(({ from, key }) => from.group === undefined && from.key !== key);
    for (const { from, artifact, key } of candidates) {
      const { position, group } = from;
      if (isRekeyed && group === undefined) move(from, artifact, [gate]);
      else waiting.push({ artifact, key, position, group });
    }
    kept.set(gate, { waiting, taken: count });
  }
  moved.sort((a, b) => a.artifact.seq - b.artifact.seq);
  return { kept, moved, stranded };
}

/** Returns gates with the same types and counts as a former one first. */
function byLikeness(gates: readonly Gate[], former: string): readonly Gate[] {
  const types = former.split(",")[0];
  const isLike = ({ subscription }: Gate) => subscription.identity.split(",")[0] === types;
  return [...gates.filter(isLike), ...gates.filter((gate) => !isLike(gate))];
}
