import { type Filter, filterKey, matches } from "@flock/protocol";
import type { Batch, Tail } from "../events/tail.ts";

/** A live connection, as a cohort sees it. */
export interface Member {
  /** Undefined: every event. */
  readonly filter: Filter | undefined;
  /** Hands over a batch that is shared with the whole cohort. */
  deliver(batch: Batch): void;
  /** Tells that the events after `seq` were dropped before they could be sent. */
  miss(seq: number): void;
}

/** Live connections that see the same: each batch is made once for all of them. */
interface Cohort {
  readonly key: string;
  readonly filter: Filter;
  readonly members: Set<Member>;
}

/**
 * The live connections by what they see. Those that watch one run or one workflow are found from the events, so that
 * ten thousand of them cost no more than the events that concern them; every other filter is one look at each event.
 */
export class Cohorts {
  readonly #everything = new Set<Member>();
  readonly #filtered = new Map<string, Cohort>();
  readonly #broad = new Set<Cohort>();
  readonly #byRun = new Map<string, Set<Cohort>>();
  readonly #byCorrelation = new Map<string, Set<Cohort>>();

  add(member: Member): void {
    const { filter } = member;
    if (!filter) {
      this.#everything.add(member);
      return;
    }
    const key = filterKey(filter);
    let cohort = this.#filtered.get(key);
    if (!cohort) {
      cohort = { key, filter, members: new Set() };
      this.#filtered.set(key, cohort);
      this.#placeOf(cohort).add(cohort);
    }
    cohort.members.add(member);
  }

  delete(member: Member): void {
    const { filter } = member;
    if (!filter) {
      this.#everything.delete(member);
      return;
    }
    const cohort = this.#filtered.get(filterKey(filter));
    if (!cohort?.members.delete(member) || cohort.members.size > 0) return;
    this.#filtered.delete(cohort.key);
    this.#remove(cohort);
  }

  /** Tells everyone that the events after `seq` were dropped before they could be sent. */
  miss(seq: number): void {
    const everyone = [this.#everything, ...[...this.#filtered.values()].map(({ members }) => members)];
    for (const members of everyone) for (const member of members) member.miss(seq);
  }

  /** Hands each cohort what it sees of `batch`, which is all events after `from`. */
  deliver(tail: Tail, from: number, batch: Batch): void {
    for (const member of this.#everything) member.deliver(batch);
    for (const { filter, members } of this.#broad) {
      handOver(members, tail.read(from, batch.seq, filter, Number.POSITIVE_INFINITY));
    }
    if (this.#byRun.size === 0 && this.#byCorrelation.size === 0) return;
    const found = new Map<Cohort, number[]>();
    tail.scan(from, batch.seq, (facts, seq) => {
      for (const cohorts of [
        facts.runId !== undefined && this.#byRun.get(facts.runId),
        facts.correlationId !== undefined && this.#byCorrelation.get(facts.correlationId),
      ]) {
        if (!cohorts) continue;
        for (const cohort of cohorts) {
          if (!matches(cohort.filter, facts)) continue;
          const seqs = found.get(cohort);
          if (seqs) seqs.push(seq);
          else found.set(cohort, [seq]);
        }
      }
    });
    for (const [{ members }, seqs] of found) {
      handOver(members, { frames: tail.gather(seqs), events: seqs.length, seq: batch.seq });
    }
  }

  /** Where a cohort is kept: a list of its own for each run or workflow that somebody watches. */
  #placeOf({ filter }: Cohort): Set<Cohort> {
    const { run_id: run, correlation_id: correlation } = filter;
    if (run !== undefined) return setOf(this.#byRun, run);
    if (correlation !== undefined) return setOf(this.#byCorrelation, correlation);
    return this.#broad;
  }

  #remove(cohort: Cohort): void {
    const place = this.#placeOf(cohort);
    place.delete(cohort);
    if (place.size > 0) return;
    const { run_id: run, correlation_id: correlation } = cohort.filter;
    if (run !== undefined) this.#byRun.delete(run);
    else if (correlation !== undefined) this.#byCorrelation.delete(correlation);
  }
}

function handOver(members: ReadonlySet<Member>, batch: Batch): void {
  if (batch.events === 0) return;
  for (const member of members) member.deliver(batch);
}

function setOf<V>(sets: Map<string, Set<V>>, key: string): Set<V> {
  let set = sets.get(key);
  if (!set) sets.set(key, (set = new Set()));
  return set;
}
