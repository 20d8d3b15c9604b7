import { allOf, type EventVisibility } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { seenTogether } from "../../blackboard/by-visibility.ts";
import { newId } from "../../core/ids.ts";
import type { ActivationRecord } from "../../store/store.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { type Activation, depthOf } from "./activation.ts";
import { LoopGuard } from "./loop-guard.ts";
import { resumable } from "./resumable.ts";
import type { RunEnd } from "./run-end.ts";

/** Collaborators and settings of {@link Activations}. */
export interface ActivationsOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly tracing: Pick<Tracing, "cause">;
  /** A longer chain of runs, each of which caused the next one, is a loop. */
  readonly maxDepth: number;
}

/** Creates activations, and counts those that have not ended. */
export class Activations {
  readonly #options: ActivationsOptions;
  readonly #loops: LoopGuard;
  #unfinished = 0;

  constructor(options: ActivationsOptions) {
    this.#options = options;
    this.#loops = new LoopGuard(options.maxDepth);
  }

  /** Number of activations that have not ended. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Creates the activation of a subscription. The caller writes it, and queues it after the commit. */
  create(subscription: Subscription, artifacts: readonly StoredArtifact[], onEnd?: (end: RunEnd) => void): Activation {
    const { agents, tracing } = this.#options;
    const agent = agents.get(subscription.agentId) as AgentDefinition;
    const correlationId = artifacts[0]?.correlationId ?? newId();
    const depth = depthOf(artifacts);
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
      refusal: this.pending({ agent, correlationId, depth }),
      onEnd,
    };
  }

  /** Counts an activation that has not ended. Returns why it must not run, if it belongs to a loop. */
  pending({ agent, correlationId, depth }: Pick<Activation, "agent" | "correlationId" | "depth">): Error | undefined {
    this.#unfinished += 1;
    return this.#loops.pending(agent.name, correlationId, depth);
  }

  /** Matches work that was queued earlier with the agent of today, and counts it as an activation that has not ended. */
  takeUp(
    agent: AgentDefinition,
    record: Pick<ActivationRecord, "gate" | "artifacts" | "correlationId">,
  ): ReturnType<typeof resumable> {
    const taken = resumable(agent, record);
    const loop = this.pending({ agent, correlationId: record.correlationId, depth: taken.depth });
    return { ...taken, refusal: taken.refusal ?? loop };
  }

  /** Counts the end of an activation, also of one that could not be written. */
  ended({ correlationId, depth }: Pick<Activation, "correlationId" | "depth">): void {
    this.#unfinished -= 1;
    this.#loops.ended(correlationId, depth);
  }
}

/** Who may see a run: principals that may see the agent and all that it consumes. Undefined means every principal. */
function visibilityOf(agent: AgentDefinition, artifacts: readonly StoredArtifact[]): EventVisibility | undefined {
  const together = seenTogether(artifacts);
  return agent.visibility.kind === "public" ? together : allOf([agent.visibility, together]);
}
