import type { Batch, LogBuffer } from "../log/log-buffer.ts";
import { isIn, type Scope, scopeKey } from "../log/scope.ts";
import type { Encoder, Encoding } from "./encoding.ts";

/** A live subscriber, as a cohort uses it. */
export interface Member {
  /** The events it receives; undefined: all. */
  readonly scope: Scope | undefined;
  readonly encoding: Encoding;
  /** Receives a batch that the whole cohort shares. */
  deliver(batch: Batch): void;
  /** Reports that events after `seq` were dropped before they could be sent. */
  overflow(seq: number): void;
  /** Closes the connection after an exception while it was served. Does not throw. */
  fail(error: unknown): void;
}

/** Live subscribers that receive the same bytes: each batch is encoded once for all of them. */
class Cohort {
  readonly key: string;
  readonly scope: Scope | undefined;
  readonly members = new Set<Member>();
  readonly #encoding: Encoding;
  #encoder: Encoder;

  constructor(key: string, { scope, encoding }: Member) {
    this.key = key;
    this.scope = scope;
    this.#encoding = encoding;
    this.#encoder = encoding.begin();
  }

  add(member: Member): void {
    // The new member has not received the batches that the encoder may refer to.
    if (this.members.size > 0) this.#encoder = this.#encoding.begin();
    this.members.add(member);
  }

  deliver(batch: Batch): void {
    if (batch.events === 0) return;
    let encoded: Batch;
    try {
      encoded = this.#encoder.encode(batch);
    } catch (error) {
      for (const member of this.members) member.fail(error);
      return;
    }
    for (const member of this.members) {
      // An exception of one member must not affect the others.
      try {
        member.deliver(encoded);
      } catch (error) {
        member.fail(error);
      }
    }
  }
}

/**
 * The live subscribers, grouped by scope and encoding. Cohorts that watch one run or workflow are found by the ids of the
 * events, so that ten thousand of them cost no more than their own events. Every other scope is tested on each event.
 */
export class Cohorts {
  readonly #all = new Map<string, Cohort>();
  readonly #broad = new Set<Cohort>();
  readonly #byRun = new Map<string, Set<Cohort>>();
  readonly #byCorrelation = new Map<string, Set<Cohort>>();

  add(member: Member): void {
    const key = keyOf(member);
    let cohort = this.#all.get(key);
    if (!cohort) {
      cohort = new Cohort(key, member);
      this.#all.set(key, cohort);
      this.#indexOf(cohort).add(cohort);
    }
    cohort.add(member);
  }

  delete(member: Member): void {
    const cohort = this.#all.get(keyOf(member));
    if (!cohort?.members.delete(member) || cohort.members.size > 0) return;
    this.#all.delete(cohort.key);
    this.#remove(cohort);
  }

  /** Reports to all members that events after `seq` were dropped before they could be sent. */
  overflow(seq: number): void {
    for (const { members } of this.#all.values()) for (const member of members) member.overflow(seq);
  }

  /** Sends each cohort its part of `batch`, which holds all events after `from`. */
  deliver(buffer: LogBuffer, from: number, batch: Batch): void {
    for (const cohort of this.#broad) {
      cohort.deliver(cohort.scope ? buffer.read(from, batch.seq, cohort.scope, Number.POSITIVE_INFINITY) : batch);
    }
    if (this.#byRun.size === 0 && this.#byCorrelation.size === 0) return;
    const found = new Map<Cohort, number[]>();
    buffer.scan(from, batch.seq, (facts, seq) => {
      for (const cohorts of [
        facts.runId !== undefined && this.#byRun.get(facts.runId),
        facts.correlationId !== undefined && this.#byCorrelation.get(facts.correlationId),
      ]) {
        if (!cohorts) continue;
        for (const cohort of cohorts) {
          if (cohort.scope && !isIn(cohort.scope, facts)) continue;
          const seqs = found.get(cohort);
          if (seqs) seqs.push(seq);
          else found.set(cohort, [seq]);
        }
      }
    });
    for (const [cohort, seqs] of found) {
      cohort.deliver({ frames: buffer.gather(seqs), events: seqs.length, seq: batch.seq });
    }
  }

  /** Returns the set that holds a cohort: one per watched run or workflow, and one for all other scopes. */
  #indexOf({ scope }: Cohort): Set<Cohort> {
    if (scope?.run_id !== undefined) return setOf(this.#byRun, scope.run_id);
    if (scope?.correlation_id !== undefined) return setOf(this.#byCorrelation, scope.correlation_id);
    return this.#broad;
  }

  #remove(cohort: Cohort): void {
    const index = this.#indexOf(cohort);
    index.delete(cohort);
    if (index.size > 0) return;
    const { run_id: run, correlation_id: correlation } = cohort.scope ?? {};
    if (run !== undefined) this.#byRun.delete(run);
    else if (correlation !== undefined) this.#byCorrelation.delete(correlation);
  }
}

function keyOf({ scope, encoding }: Member): string {
  return scope ? `${encoding.name} ${scopeKey(scope)}` : encoding.name;
}

function setOf<V>(sets: Map<string, Set<V>>, key: string): Set<V> {
  let set = sets.get(key);
  if (!set) sets.set(key, (set = new Set()));
  return set;
}
