import type { Batch, LogBuffer } from "../log/log-buffer.ts";
import { isIn, type Scope, viewKey } from "../log/scope.ts";
import type { Encoder, Encoding } from "./encoding.ts";

/** A live client, as a cohort sees it. */
export interface Member {
  /** Undefined: every event. */
  readonly scope: Scope | undefined;
  readonly encoding: Encoding;
  /** Hands over a batch that is shared with the whole cohort. */
  deliver(batch: Batch): void;
  /** Tells that the events after `seq` were dropped before they could be sent. */
  miss(seq: number): void;
  /** Ends the connection after an exception while it was served. Does not throw. */
  fail(error: unknown): void;
}

/** Live clients that are sent the same bytes: each batch is made once for all of them. */
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
    // It has not been given what the encoder may refer to.
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
      // An exception for one of them must not keep the batch from the others.
      try {
        member.deliver(encoded);
      } catch (error) {
        member.fail(error);
      }
    }
  }
}

/**
 * The live clients by what they see. Those that watch one run or one workflow are found from the events, so that
 * ten thousand of them cost no more than the events that concern them; every other filter is one look at each event.
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
      this.#placeOf(cohort).add(cohort);
    }
    cohort.add(member);
  }

  delete(member: Member): void {
    const cohort = this.#all.get(keyOf(member));
    if (!cohort?.members.delete(member) || cohort.members.size > 0) return;
    this.#all.delete(cohort.key);
    this.#remove(cohort);
  }

  /** Tells everyone that the events after `seq` were dropped before they could be sent. */
  miss(seq: number): void {
    for (const { members } of this.#all.values()) for (const member of members) member.miss(seq);
  }

  /** Hands each cohort what it sees of `batch`, which is all events after `from`. */
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

  /** Where a cohort is kept: a list of its own for each run or workflow that somebody watches. */
  #placeOf({ scope }: Cohort): Set<Cohort> {
    if (scope?.run_id !== undefined) return setOf(this.#byRun, scope.run_id);
    if (scope?.correlation_id !== undefined) return setOf(this.#byCorrelation, scope.correlation_id);
    return this.#broad;
  }

  #remove(cohort: Cohort): void {
    const place = this.#placeOf(cohort);
    place.delete(cohort);
    if (place.size > 0) return;
    const { run_id: run, correlation_id: correlation } = cohort.scope ?? {};
    if (run !== undefined) this.#byRun.delete(run);
    else if (correlation !== undefined) this.#byCorrelation.delete(correlation);
  }
}

function keyOf({ scope, encoding }: Member): string {
  return scope ? `${encoding.name} ${viewKey(scope)}` : encoding.name;
}

function setOf<V>(sets: Map<string, Set<V>>, key: string): Set<V> {
  let set = sets.get(key);
  if (!set) sets.set(key, (set = new Set()));
  return set;
}
