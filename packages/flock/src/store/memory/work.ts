import type { CorrelationStatus, EventOf, Principal } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { millisecondsOf } from "../../core/time.ts";
import { duplicateKey, unknownActivation, unknownDeadLetter } from "../refusal.ts";
import type {
  ActivationRecord,
  DeadLetter,
  GateContents,
  GatheredArtifact,
  LeftWork,
  PublishedUnderKey,
  QuestionRecord,
  ScheduleRecord,
  Triggered,
  WorkStore,
} from "../work.ts";
import type { ActivationWrite, EventWrite, Write, WriteGroup } from "../writes.ts";
import type { DeadLettersInMemory } from "./dead-letters.ts";
import { WorkflowsInMemory } from "./workflows.ts";

/** The most idempotency keys that are kept: clients repeat themselves within minutes, not days. */
const MAX_KEYS = 10_000;

interface Published {
  readonly artifact: StoredArtifact;
  readonly triggered: Triggered[];
}

/** The runtime's state in memory. Nothing is ever left from an earlier process. */
export class WorkInMemory implements WorkStore {
  readonly bytes = undefined;
  readonly #deadLetters: DeadLettersInMemory;
  readonly #open = new Map<string, ActivationRecord>();
  readonly #workflows = new WorkflowsInMemory();
  /** By agent and gate, then by artifact. */
  readonly #gathered = new Map<string, Map<string, GatheredArtifact>>();
  readonly #taken = new Map<string, { readonly agentId: string; readonly gate: string; readonly taken: number }>();
  readonly #schedules = new Map<string, ScheduleRecord>();
  readonly #questions = new Map<string, QuestionRecord>();
  readonly #byKey = new Map<string, Published>();
  /** The entries of `#byKey` by the artifact's id. */
  readonly #withKey = new Map<string, Published>();

  constructor(deadLetters: DeadLettersInMemory) {
    this.#deadLetters = deadLetters;
  }

  /** @throws FlockError when the group must be refused. */
  check(group: WriteGroup): void {
    let opened: Set<string> | undefined;
    for (const write of group) {
      switch (write.kind) {
        case "event":
          if (write.idempotencyKey !== undefined && this.#byKey.has(write.idempotencyKey))
            throw duplicateKey(write.idempotencyKey);
          break;
        case "activation":
          (opened ??= new Set()).add(write.id);
          break;
        case "activation_again":
        case "activation_done":
          if (!this.#open.has(write.id) && !opened?.has(write.id)) throw unknownActivation(write.id);
          break;
        case "dead_letter_again":
        case "dead_letter_discarded":
          if (!this.#deadLetters.has(write.id)) throw unknownDeadLetter(write.id);
          break;
      }
    }
  }

  /** Applies a write of a group that was checked. `stored` returns an artifact with its seq. */
  apply(write: Exclude<Write, EventWrite>, stored: (artifact: StoredArtifact) => StoredArtifact): void {
    switch (write.kind) {
      case "activation":
        this.#open.set(write.id, write);
        this.#workflows.queued(write);
        this.#noteTriggered(write, stored);
        return;
      case "activation_done": {
        const ended = this.#open.get(write.id) as ActivationRecord;
        this.#open.delete(write.id);
        this.#workflows.ended(ended, write);
        if (write.deadLetter)
          this.#deadLetters.add({ ...write.deadLetter, artifacts: write.deadLetter.artifacts.map(stored) });
        return;
      }
      case "dead_letter_again": {
        const letter = this.#deadLetters.delete(write.id) as DeadLetter;
        this.#open.set(write.id, { ...letter, ...write });
        this.#workflows.queuedAgain(letter);
        return;
      }
      case "dead_letter_discarded":
        this.#deadLetters.delete(write.id);
        return;
      case "gathered": {
        const { kind: _, artifact, ...rest } = write;
        const gate = keyOf(write.agentId, write.gate);
        let held = this.#gathered.get(gate);
        if (!held) this.#gathered.set(gate, (held = new Map()));
        held.set(artifact.id, { ...rest, artifact: stored(artifact) });
        return;
      }
      case "gathered_used": {
        const held = this.#gathered.get(keyOf(write.agentId, write.gate));
        for (const { id } of write.artifacts) held?.delete(id);
        return;
      }
      case "gate_taken": {
        const { agentId, gate, taken } = write;
        this.#taken.set(keyOf(agentId, gate), { agentId, gate, taken });
        return;
      }
      case "scheduled": {
        const { kind: _, ...state } = write;
        this.#schedules.set(keyOf(state.agentId, state.schedule), state);
        return;
      }
      case "question": {
        const { kind: _, ...question } = write;
        this.#questions.set(question.artifact.id, { ...question, artifact: stored(question.artifact) });
        return;
      }
      case "question_closed": {
        const question = this.#questions.get(write.artifact.id);
        const { answer } = write.closure;
        const closure = { ...write.closure, answer: answer && stored(answer) };
        if (question) this.#questions.set(write.artifact.id, { ...question, closure });
        return;
      }
    }
  }

  /** Notes a committed artifact, and the key under which it was published. */
  published(artifact: StoredArtifact, key: string | undefined): void {
    this.#workflows.published(artifact);
    if (key === undefined) return;
    const published = { artifact, triggered: [] };
    this.#byKey.set(key, published);
    this.#withKey.set(artifact.id, published);
    if (this.#byKey.size <= MAX_KEYS) return;
    const [oldest, { artifact: forgotten }] = this.#byKey.entries().next().value as [string, Published];
    this.#byKey.delete(oldest);
    this.#withKey.delete(forgotten.id);
  }

  /** Notes an artifact whose scheduled time has come. */
  revealed(artifact: StoredArtifact, { timestamp, visibility }: EventOf<"artifact_published">): void {
    this.#workflows.revealed(artifact, millisecondsOf(timestamp), visibility);
  }

  async load(): Promise<LeftWork> {
    return {
      ...(await this.gates()),
      unfinished: [],
      schedules: [...this.#schedules.values()],
      hidden: [],
      questions: [],
      snapshot: undefined,
      hasCrashed: false,
    };
  }

  async gates(): Promise<GateContents> {
    const gathered = [...this.#gathered.values()].flatMap((held) => [...held.values()]);
    return { gathered: gathered.sort((a, b) => a.artifact.seq - b.artifact.seq), taken: [...this.#taken.values()] };
  }

  async question(id: string): Promise<QuestionRecord | undefined> {
    return this.#questions.get(id);
  }

  async questionsOf(activationId: string): Promise<readonly QuestionRecord[]> {
    return [...this.#questions.values()].filter((one) => one.activationId === activationId);
  }

  async publishedUnder(key: string): Promise<PublishedUnderKey | undefined> {
    return this.#byKey.get(key);
  }

  async workflow(correlationId: string, as: Principal): Promise<CorrelationStatus | undefined> {
    return this.#workflows.statusOf(correlationId, as);
  }

  /** No event is older than this process, so nothing is to be looked up. */
  async typesOf(): Promise<ReadonlyMap<string, string>> {
    return new Map();
  }

  /** An artifact has triggered the activations in which it is the newest. */
  #noteTriggered({ artifacts, agentId, visibility }: ActivationWrite, stored: (a: StoredArtifact) => StoredArtifact) {
    if (this.#withKey.size === 0 || artifacts.length === 0) return;
    const newest = artifacts.map(stored).reduce((a, b) => (b.seq > a.seq ? b : a));
    this.#withKey.get(newest.id)?.triggered.push({ agentId, visibility });
  }
}

function keyOf(agentId: string, name: string): string {
  return JSON.stringify([agentId, name]);
}
