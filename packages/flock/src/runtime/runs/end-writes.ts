import type { EventOf } from "@flock-ts/protocol";
import type { Clock } from "../../core/clock.ts";
import { isoTime, timestamp } from "../../core/time.ts";
import { writeOf } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { ActivationAgainWrite, DeadLetter, Write } from "../../store/store.ts";
import type { RootLog } from "../../telemetry/run-log.ts";
import type { Questions } from "../questions/questions.ts";
import type { Circuits } from "../queue/circuits.ts";
import type { Activation } from "./activation.ts";
import type { CircuitEvents } from "./circuit-events.ts";
import { hasFailed, type RunEnd } from "./run-end.ts";

/** Collaborators of {@link EndWrites}. */
export interface EndWritesDeps {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RootLog;
  readonly questions: Pick<Questions, "withdraw">;
  readonly circuits: Pick<Circuits, "of">;
  readonly circuitEvents: CircuitEvents;
}

/** The end of an attempt, as it is written. */
export interface EndToWrite {
  readonly activation: Activation;
  readonly end: RunEnd;
  /** The end as viewers of the run receive it. */
  readonly visible: RunEnd;
  /** Why the run failed. */
  readonly failure: unknown;
  readonly hasBegun: boolean;
  /** The next attempt; undefined if this was the last one. */
  readonly again: ActivationAgainWrite | undefined;
}

/** Writes the ends of attempts: the event, the agent's circuit, and the next attempt or the end of the activation. */
export class EndWrites {
  readonly #deps: EndWritesDeps;

  constructor(deps: EndWritesDeps) {
    this.#deps = deps;
  }

  /**
   * Returns a function that adds the writes to the commit of this tick. They are made once, and are the same in each
   * commit that the function is called for. `isFirst`: no earlier commit with them has failed.
   */
  of(ended: EndToWrite): (isFirst: boolean) => void {
    const { journal, questions, clock } = this.#deps;
    const { id } = ended.activation;
    const endedAt = timestamp(clock.now());
    const completed = writeOf(completedEvent(ended, endedAt));
    const last = ended.again ?? doneWrite(ended, endedAt);
    let ofCircuit: readonly Write[] = [];
    return (isFirst) => {
      journal.write(completed);
      // The circuit follows the end of the run, so that viewers see what has opened or closed it.
      if (isFirst) ofCircuit = this.#updateCircuit(ended);
      else for (const write of ofCircuit) journal.write(write);
      if (!ended.again) questions.withdraw(id);
      journal.write(last);
    };
  }

  /** Records the end in the agent's circuit. Returns what the circuit wrote. */
  #updateCircuit({ activation, end, failure }: EndToWrite): readonly Write[] {
    const { circuits, circuitEvents, log } = this.#deps;
    const { agent } = activation;
    const circuit = circuits.of(agent);
    if (!circuit) return [];
    let hasOpened = false;
    const writes = circuitEvents.collect(() => {
      hasOpened = circuit.ended(activation, end.status, failure);
    });
    if (hasOpened) log.warn({ agent: agent.name }, "circuit opened: the agent failed repeatedly, and its runs wait");
    return writes;
  }
}

function completedEvent(
  { activation, end, visible, hasBegun, again }: EndToWrite,
  endedAt: string,
): EventOf<"agent_execution_completed"> {
  const { agent, id, correlationId, visibility } = activation;
  const retryAt = again?.retryAt;
  return {
    type: "agent_execution_completed",
    seq: 0,
    timestamp: endedAt,
    agent_id: agent.name,
    run_id: end.runId,
    correlation_id: correlationId,
    duration_ms: end.durationMs,
    status: end.status,
    produced_artifacts: visible.produced as string[],
    error: visible.error,
    usage: end.usage,
    retry_at: retryAt === undefined ? undefined : isoTime(retryAt),
    activation_id: hasBegun ? undefined : id,
    visibility,
  };
}

function doneWrite({ activation, end, visible }: EndToWrite, endedAt: string): Write {
  return {
    kind: "activation_done",
    id: activation.id,
    status: end.status,
    endedAt: Date.parse(endedAt),
    deadLetter: deadLetterOf(activation, visible, endedAt),
  };
}

/** Returns what is retained of an activation that has failed permanently; undefined for one that has not failed. */
function deadLetterOf(activation: Activation, visible: RunEnd, failedAt: string): DeadLetter | undefined {
  if (!hasFailed(visible)) return undefined;
  const { runId, status, error } = visible;
  const { id, agent, subscription, correlationId, attempt: attempts, artifacts, visibility } = activation;
  const about = { gate: subscription?.identity, agentId: agent.name, correlationId, attempts, artifacts, visibility };
  return { id, runId, ...about, status, error, missing: 0, failedAt };
}
