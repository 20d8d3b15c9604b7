import { randomUUID } from "node:crypto";
import type { EventOf } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { FlockError } from "../../core/errors.ts";
import { refusal } from "../refusal.ts";
import { seal } from "../seal.ts";
import type { CommitResult, Lease, SealedEvent, Store, StoreSession } from "../store.ts";
import type { WriteGroup } from "../writes.ts";
import { BlackboardInMemory } from "./blackboard.ts";
import { DeadLettersInMemory } from "./dead-letters.ts";
import { WorkInMemory } from "./work.ts";

/** Returns a blackboard in the memory of this process. Its content ends with the process. */
export function memoryStore(): Store {
  return { open: async () => new MemorySession() };
}

/** An open blackboard in memory. */
export class MemorySession implements StoreSession {
  readonly epoch = randomUUID();
  readonly role = "leader";
  /** No other process can take it. */
  readonly lease: Lease = { fence: 1n, lost: new AbortController().signal };
  readonly blackboard = new BlackboardInMemory();
  readonly deadLetters = new DeadLettersInMemory(this.blackboard.current);
  readonly log = undefined;
  readonly work = new WorkInMemory(this.deadLetters);
  #head = 0;

  async commit(groups: readonly WriteGroup[]): Promise<CommitResult> {
    const events: SealedEvent[] = [];
    const refused = new Map<number, FlockError>();
    for (const [index, group] of groups.entries()) {
      try {
        for (const event of this.#commit(group)) events.push(event);
      } catch (error) {
        refused.set(index, asRefusal(error));
      }
    }
    const [first] = refused.values();
    if (first && refused.size === groups.length) throw first;
    return { events, refused };
  }

  async close(): Promise<void> {}

  /** Throws before anything has changed. */
  #commit(group: WriteGroup): SealedEvent[] {
    this.work.check(group);
    const events: SealedEvent[] = [];
    let head = this.#head;
    for (const write of group) if (write.kind === "event") events.push(seal(write, ++head));
    this.#head = head;
    let next = 0;
    /** Artifacts of this commit, with their seqs. */
    const added = new Map<string, StoredArtifact>();
    const stored = (artifact: StoredArtifact) => (artifact.seq > 0 ? artifact : (added.get(artifact.id) ?? artifact));
    for (const write of group) {
      if (write.kind === "event") {
        const { seq } = events[next++] as SealedEvent;
        if (write.artifact) {
          const artifact = Object.freeze({ ...write.artifact, seq });
          added.set(artifact.id, artifact);
          this.blackboard.add(artifact);
          this.work.published(artifact, write.idempotencyKey);
        }
        if (write.reveals) {
          const event = write.event as EventOf<"artifact_published">;
          this.blackboard.reveal(write.reveals.id, event.visibility);
          this.work.revealed(write.reveals, event);
        }
      } else if (write.kind === "consumption") this.blackboard.consume(write);
      else this.work.apply(write, stored);
    }
    return events;
  }
}

function asRefusal(error: unknown): FlockError {
  return error instanceof FlockError
    ? error
    : refusal(`Nothing was written: ${(error as Error).message}. Publish only what is JSON.`, error);
}
