import { maySee } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { type StoredArtifact, takenUp } from "../../blackboard/artifact.ts";
import type { AnyArtifactType } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import { readable } from "../../core/wire-error.ts";
import type { ActivationRecord } from "../../store/store.ts";
import { type Activation, depthOf } from "./activation.ts";
import { LoopError, NotClearedError } from "./refusals.ts";

/**
 * Matches an activation that was queued earlier, possibly under another declaration, with the agent of today. What does
 * not fit is refused, and so becomes a dead letter.
 */
export function resumable(
  agent: AgentDefinition,
  { gate, artifacts, correlationId }: Pick<ActivationRecord, "gate" | "artifacts" | "correlationId">,
  maxDepth: number,
): Pick<Activation, "artifacts" | "depth" | "subscription" | "refusal"> {
  const able = agent.subscriptions.filter((one) => one.canTake(artifacts));
  const subscription = able.find((one) => one.identity === gate) ?? able[0];
  const found = { artifacts, depth: depthOf(artifacts), subscription };
  if (!subscription) return { ...found, refusal: wrongInputs(agent, artifacts) };
  if (!artifacts.every((one) => maySee(agent.principal, one.visibility)))
    return { ...found, refusal: new NotClearedError(agent.name) };
  if (found.depth > maxDepth) return { ...found, refusal: new LoopError(agent.name, correlationId, maxDepth) };
  try {
    const taken = artifacts.map((one) => takenUp(one, subscription.types.get(one.type) as AnyArtifactType));
    return { ...found, artifacts: taken };
  } catch (error) {
    return { ...found, refusal: readable(error) as Error };
  }
}

function wrongInputs(agent: AgentDefinition, artifacts: readonly StoredArtifact[]): FlockError {
  const given = artifacts.map(({ type }) => type).join(" + ") || "nothing";
  const wanted = agent.subscriptions.map(({ requires }) =>
    [...requires].map(([type, n]) => (n > 1 ? `${n} × ${type}` : type)).join(" + "),
  );
  return new FlockError(
    "wrong_inputs",
    `Agent \`${agent.name}\` did not run: it now consumes ${wanted.join(" or ")}, and was triggered by ${given}. Declare the old inputs again and retry, or discard the dead letter.`,
  );
}
