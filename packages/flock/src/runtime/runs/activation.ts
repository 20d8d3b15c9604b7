import type { EventVisibility } from "@flock-ts/protocol";
import type { SpanContext } from "@opentelemetry/api";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { ActivationWrite } from "../../store/store.ts";
import type { RunEnd } from "./run-end.ts";

/** A run that is queued: which agent, on what. */
export interface Activation {
  /** Stays the same however often it is run; the first run has the same id. */
  readonly id: string;
  readonly runId: string;
  readonly agent: AgentDefinition;
  /** The gate that the artifacts filled; undefined when the agent has been declared again and they fill none, which is a refusal. */
  readonly subscription: Subscription | undefined;
  readonly artifacts: readonly StoredArtifact[];
  readonly correlationId: string;
  /** Who may see the run: principals that may see all that it consumes. Undefined: every principal. */
  readonly visibility: EventVisibility | undefined;
  /** See {@link depthOf}. */
  readonly depth: number;
  readonly attempt: number;
  /** How many attempts have failed, since it was queued or taken up as a dead letter; absent: none. */
  readonly failures?: number | undefined;
  /** How many attempts ended because the process crashed, since it was queued or taken up as a dead letter; absent: none. */
  readonly crashes?: number | undefined;
  /** Whether its start is committed before its function is called, so that a crash in there is counted. */
  readonly isGuarded?: boolean | undefined;
  /** Its attempt before, whose failure this one follows: callers can cancel the run by this id too. */
  readonly retryOf?: string | undefined;
  /** Why it must not run, when it must not. */
  readonly refusal?: Error | undefined;
  /** The span that the run's own belongs under, when there is one. */
  readonly cause?: SpanContext | undefined;
  /** Called at its end, if a caller waits for it. */
  readonly onEnd?: ((end: RunEnd) => void) | undefined;
}

/**
 * Returns the number of runs in the chain that leads to a run on these artifacts, including that run. The shortest chain
 * counts: an agent that carries its state forward with each message from outside is no loop. A true loop still
 * grows without end, because gates use each artifact once, so it soon has none left from outside.
 */
export function depthOf(artifacts: readonly StoredArtifact[]): number {
  let depth = artifacts[0]?.depth ?? 0;
  for (const artifact of artifacts) depth = Math.min(depth, artifact.depth ?? 0);
  return depth + 1;
}

/** Returns the write of a queued activation. */
export function activationWrite(activation: Activation, queuedAt: number): ActivationWrite {
  const { agent, subscription, id, runId, artifacts, correlationId, attempt, visibility } = activation;
  const gate = subscription?.identity;
  const ids = { id, runId, agentId: agent.name, correlationId };
  return { kind: "activation", ...ids, gate, attempt, artifacts, visibility, queuedAt };
}
