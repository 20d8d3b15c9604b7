import type { EventOf, Principal } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import { FlockError } from "../../core/errors.ts";
import { timestamp } from "../../core/time.ts";
import { eventWrite } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { DeadLetter, DeadLetterQuery, DeadLetterReader } from "../../store/store.ts";
import { successorOf } from "../registry.ts";
import { runDone } from "./run-done.ts";
import type { RunEnd } from "./run-end.ts";
import type { Runner } from "./runner.ts";

/** A dead letter is on its way again. */
export interface Revived {
  /** Of the new attempt. */
  readonly runId: string;
  readonly correlationId: string;
  /** The number of the attempt. */
  readonly attempt: number;
  /** Of the event that tells of it. */
  readonly seq: number;
  /** How it ends, after its retries. */
  readonly done: Promise<RunEnd>;
}

/** What the dead letters work with. */
export interface DeadLettersOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly store: DeadLetterReader;
  readonly journal: Journal;
  readonly runner: Pick<Runner, "runAgain" | "enqueue" | "abandon" | "caller">;
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

  /** Newest first. */
  list(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]> {
    return this.#options.store.list(query, as);
  }

  /** Queues one again. Resolves when that is committed. */
  async retry(id: string, as: Principal): Promise<Revived> {
    const { agents, runner } = this.#options;
    const letter = await this.#reserve(id, as);
    const { agentId, correlationId, missing, attempts } = letter;
    const obstacle = successorOf(agents, agentId) ? missing > 0 && missingInputs(id, missing) : undeclared(id, agentId);
    if (obstacle) {
      this.#leaving.delete(id);
      throw obstacle;
    }
    const { done, onEnd } = runDone(() => runner.caller);
    const activation = runner.runAgain(letter, onEnd);
    const closed = this.#tell(letter, { status: "retried", run_id: activation.runId });
    await this.#takeOut(id, () => runner.abandon(activation));
    runner.enqueue(activation);
    return { runId: activation.runId, correlationId, attempt: attempts + 1, seq: closed.seq, done };
  }

  /** Throws one away. Resolves when that is committed. */
  async discard(id: string, as: Principal): Promise<{ readonly seq: number }> {
    const letter = await this.#reserve(id, as);
    this.#options.journal.write({ kind: "dead_letter_discarded", id });
    const closed = this.#tell(letter, { status: "discarded" });
    await this.#takeOut(id);
    return { seq: closed.seq };
  }

  /** The returned event has its `seq` when it is committed. */
  #tell(
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

  /** Finds a dead letter, and keeps other callers away from it until it is released. */
  async #reserve(id: string, as: Principal): Promise<DeadLetter> {
    const letter = await this.#options.store.get(id, as);
    // Another caller may have begun to take it out meanwhile.
    if (!letter || this.#leaving.has(id)) {
      throw new FlockError(
        "not_found",
        `Unknown dead letter: ${JSON.stringify(id)}. It was run again, discarded or dropped.`,
      );
    }
    this.#leaving.add(id);
    return letter;
  }

  async #takeOut(id: string, onError?: () => void): Promise<void> {
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
