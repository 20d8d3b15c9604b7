import type { EventOf, Principal } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import { FlockError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { timestamp } from "../../core/time.ts";
import { eventWrite } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { DeadLetter, DeadLetterQuery, DeadLetterReader } from "../../store/store.ts";
import { successorOf } from "../registry.ts";
import type { Activation } from "./activation.ts";
import type { Activations } from "./activations.ts";
import { runDone } from "./run-done.ts";
import type { RunEnd } from "./run-end.ts";
import type { Runner } from "./runner.ts";
import type { Workload } from "./workload.ts";

/** A dead letter that was queued again. */
export interface Revived {
  /** The run of the new attempt. */
  readonly runId: string;
  readonly correlationId: string;
  /** The number of the attempt. */
  readonly attempt: number;
  /** The `seq` of the event that reports it. */
  readonly seq: number;
  /** Resolves to its end, after its retries. */
  readonly done: Promise<RunEnd>;
}

/** Collaborators of {@link DeadLetters}. */
export interface DeadLettersOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly store: DeadLetterReader;
  readonly journal: Journal;
  readonly activations: Pick<Activations, "takeUp">;
  readonly workload: Pick<Workload, "enqueue" | "abandon">;
  readonly runner: Pick<Runner, "caller">;
  readonly clock: Clock;
}

/** Lists, retries and discards work that has failed permanently. */
export class DeadLetters {
  readonly #options: DeadLettersOptions;
  /** Dead letters whose removal is not committed yet. */
  readonly #leaving = new Set<string>();

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Returns matching dead letters, newest first. */
  list(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]> {
    return this.#options.store.list(query, as);
  }

  /** Queues a dead letter again. Resolves when that is committed. */
  async retry(id: string, as: Principal): Promise<Revived> {
    const { agents, runner, workload } = this.#options;
    const letter = await this.#reserve(id, as);
    const { agentId, correlationId, missing, attempts } = letter;
    const agent = successorOf(agents, agentId);
    if (!agent || missing > 0) {
      this.#leaving.delete(id);
      throw agent ? missingInputs(id, missing) : undeclared(id, agentId);
    }
    const { done, onEnd } = runDone(() => runner.caller);
    const activation = this.#nextAttempt(letter, agent, onEnd);
    const closed = this.#close(letter, { status: "retried", run_id: activation.runId });
    await this.#removed(id, () => workload.abandon(activation));
    workload.enqueue(activation);
    return { runId: activation.runId, correlationId, attempt: attempts + 1, seq: closed.seq, done };
  }

  /** Creates and writes the next attempt. The caller queues it after the commit. */
  #nextAttempt(letter: DeadLetter, agent: AgentDefinition, onEnd: (end: RunEnd) => void): Activation {
    const { journal, activations } = this.#options;
    const { id, correlationId, visibility } = letter;
    const next = { id, runId: newId(), attempt: letter.attempts + 1 };
    journal.write({ kind: "dead_letter_again", ...next });
    const about = { agent, correlationId, visibility, onEnd, isGuarded: true };
    return { ...next, ...about, ...activations.takeUp(agent, letter) };
  }

  /** Discards a dead letter. Resolves when that is committed. */
  async discard(id: string, as: Principal): Promise<{ readonly seq: number }> {
    const letter = await this.#reserve(id, as);
    this.#options.journal.write({ kind: "dead_letter_discarded", id });
    const closed = this.#close(letter, { status: "discarded" });
    await this.#removed(id);
    return { seq: closed.seq };
  }

  /** Writes how a dead letter was closed. The returned event has its `seq` after the commit. */
  #close(
    { id, agentId, correlationId, visibility }: DeadLetter,
    about: Pick<EventOf<"dead_letter_closed">, "status" | "run_id">,
  ): { readonly seq: number } {
    const { journal, clock } = this.#options;
    const ids = { activation_id: id, agent_id: agentId, correlation_id: correlationId };
    const write = eventWrite(
      { type: "dead_letter_closed", ...ids, ...about, ...(visibility ? { visibility } : {}) },
      timestamp(clock.now()),
    );
    journal.write(write);
    return write.event;
  }

  /** Returns a dead letter and reserves it, so that no other caller closes it meanwhile. */
  async #reserve(id: string, as: Principal): Promise<DeadLetter> {
    const letter = await this.#options.store.get(id, as);
    // Another caller may have reserved it during the read.
    if (!letter || this.#leaving.has(id)) {
      throw new FlockError(
        "not_found",
        `Unknown dead letter: ${JSON.stringify(id)}. It was run again, discarded or dropped.`,
      );
    }
    this.#leaving.add(id);
    return letter;
  }

  /** Resolves when the removal of a dead letter is committed. Releases it either way. */
  async #removed(id: string, onError?: () => void): Promise<void> {
    try {
      await this.#options.journal.committed();
    } catch (error) {
      onError?.();
      throw error;
    } finally {
      this.#leaving.delete(id);
    }
  }
}

function undeclared(id: string, agentId: string): FlockError {
  return new FlockError(
    "unknown_agent",
    `Failed to retry dead letter ${id}: its agent ${JSON.stringify(agentId)} is not declared. Declare it, or discard the letter.`,
  );
}

function missingInputs(id: string, missing: number): FlockError {
  return new FlockError(
    "not_found",
    `Failed to retry dead letter ${id}: ${missing} of its artifacts are no longer retained. Discard it and publish them again.`,
  );
}
