import { allOf, type EventVisibility } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { seenTogether } from "../../blackboard/by-visibility.ts";
import { newId } from "../../core/ids.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { type Activation, depthOf } from "./activation.ts";
import { LoopError } from "./refusals.ts";
import type { RunEnd } from "./run-end.ts";

/** Collaborators and settings of {@link Activations}. */
export interface ActivationsOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly tracing: Pick<Tracing, "cause">;
  /** Length of a chain of causes from which on it counts as a loop. */
  readonly maxDepth: number;
}

/** Creates activations, and counts those that have not ended. */
export class Activations {
  readonly #options: ActivationsOptions;
  #unfinished = 0;

  constructor(options: ActivationsOptions) {
    this.#options = options;
  }

  /** Number of activations that have not ended. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Creates the activation of a subscription. The caller writes it, and queues it after the commit. */
  create(subscription: Subscription, artifacts: readonly StoredArtifact[], onEnd?: (end: RunEnd) => void): Activation {
    const { agents, tracing, maxDepth } = this.#options;
    const agent = agents.get(subscription.agentId) as AgentDefinition;
    const correlationId = artifacts[0]?.correlationId ?? newId();
    const depth = depthOf(artifacts);
    this.resumed();
    const id = newId();
    return {
      id,
      runId: id,
      agent,
      subscription,
      artifacts,
      correlationId,
      visibility: visibilityOf(agent, artifacts),
      depth,
      attempt: 1,
      cause: tracing.cause(subscription, artifacts, correlationId),
      refusal: depth > maxDepth ? new LoopError(agent.name, correlationId, maxDepth) : undefined,
      onEnd,
    };
  }

  /** Counts an activation that was created earlier, and has not ended. */
  resumed(): void {
    this.#unfinished += 1;
  }

  /** Counts the end of an activation. */
  ended(): void {
    this.#unfinished -= 1;
  }
}

/** Who may see a run: principals that may see the agent and all that it consumes. Undefined means every principal. */
function visibilityOf(agent: AgentDefinition, artifacts: readonly StoredArtifact[]): EventVisibility | undefined {
  const together = seenTogether(artifacts);
  return agent.visibility.kind === "public" ? together : allOf([agent.visibility, together]);
}
