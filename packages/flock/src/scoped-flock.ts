import type { AgentInfo, CorrelationStatus, GraphSnapshot, HistorySummary, Principal } from "@flock-ts/protocol";
import type { AnyArtifactType } from "./blackboard/artifact-type.ts";
import type { Commands, ScopedCommands } from "./delivery/commands.ts";
import type { Revived } from "./runtime/runs/dead-letters.ts";
import type { ScopedHost } from "./server/host.ts";
import type { DeadLetter, DeadLetterQuery, OwnersStore, ReadableStore } from "./store/store.ts";

/** The parts of a flock that take a principal. */
interface UnscopedFlock {
  readonly store: OwnersStore;
  readonly wire: Commands;
  agents(as: Principal): AgentInfo[];
  graph(as: Principal): GraphSnapshot;
  historyOf(agent: string, as: Principal): Promise<HistorySummary | undefined>;
  correlation(id: string, as: Principal): Promise<CorrelationStatus | undefined>;
  typesSeenBy(as: Principal): readonly AnyArtifactType[];
  deadLetters(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]>;
  retryDeadLetter(id: string, as: Principal): Promise<Revived>;
  discardDeadLetter(id: string, as: Principal): Promise<{ readonly seq: number }>;
}

/** A flock as one principal sees it. */
export class ScopedFlock implements ScopedHost {
  readonly principal: Principal;
  readonly store: ReadableStore;
  readonly commands: ScopedCommands;
  readonly #flock: UnscopedFlock;

  constructor(flock: UnscopedFlock, principal: Principal) {
    const { store, wire } = flock;
    this.principal = principal;
    this.#flock = flock;
    this.store = store.as(principal);
    this.commands = {
      publish: (request) => wire.publish(request, principal),
      invoke: (request) => wire.invoke(request, principal),
      cancel: (request) => wire.cancel(request, principal),
      answer: (questionId, request) => wire.answer(questionId, request, principal),
      pause: (request) => wire.pause(request, principal),
      resume: (request) => wire.resume(request, principal),
      preview: (request) => wire.preview(request, principal),
      questions: () => wire.questions(principal),
      graph: () => wire.graph(principal),
    };
  }

  agents(): AgentInfo[] {
    return this.#flock.agents(this.principal);
  }

  graph(): GraphSnapshot {
    return this.#flock.graph(this.principal);
  }

  types(): readonly AnyArtifactType[] {
    return this.#flock.typesSeenBy(this.principal);
  }

  historyOf(agent: string): Promise<HistorySummary | undefined> {
    return this.#flock.historyOf(agent, this.principal);
  }

  correlation(id: string): Promise<CorrelationStatus | undefined> {
    return this.#flock.correlation(id, this.principal);
  }

  deadLetters(query: DeadLetterQuery): Promise<readonly DeadLetter[]> {
    return this.#flock.deadLetters(query, this.principal);
  }

  retryDeadLetter(id: string): Promise<Revived> {
    return this.#flock.retryDeadLetter(id, this.principal);
  }

  discardDeadLetter(id: string): Promise<{ readonly seq: number }> {
    return this.#flock.discardDeadLetter(id, this.principal);
  }
}
