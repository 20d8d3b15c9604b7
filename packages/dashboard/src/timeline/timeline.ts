import {
  type ControlOf,
  emptyState,
  type FlockEvent,
  type FlockState,
  type GraphSnapshot,
  reduceAll,
  type StateLimits,
} from "@flock-ts/protocol";
import { afterGap, baseOf, withGraph } from "./baseline.ts";
import { Log, type LogEntry } from "./log.ts";
import { trimArtifact, trimRun, weightOf } from "./trim.ts";

/** How much the dashboard shows: people keep it open, and look back. */
export const DASHBOARD_LIMITS: StateLimits = {
  runs: 10_000,
  artifacts: 100_000,
  gates: 2_000,
  streamCharacters: 200_000,
};

/** Events that a tab keeps to travel in at once; what came before them is read when somebody goes there. */
export const KEPT_EVENTS = 100_000;

/** UTF-16 code units of streams and payloads that they hold, about: where each is long, fewer events are kept. */
export const KEPT_TEXT = 50_000_000;

/** Events between two kept states: to fold so many takes a few milliseconds, whatever seq is asked for. */
const SPACING = 2_000;

type Gap = ControlOf<"gap">;

/** What is known at a place in the log beside its events. It holds after everything up to `at`. */
export type Mark =
  | { readonly kind: "gap"; readonly at: number; readonly gap: Gap }
  | { readonly kind: "graph"; readonly at: number; readonly graph: GraphSnapshot };

/** A state together with how far it has come: everything up to `seq`, which are `count` of the kept events. */
interface Checkpoint {
  readonly seq: number;
  readonly count: number;
  readonly state: FlockState;
}

/**
 * The events that the tab knows, and the state at any of them. States are kept at intervals, so that any seq is a short
 * fold away; nothing is ever computed backwards.
 */
export class Timeline {
  readonly #limits: StateLimits;
  readonly #kept: number;
  readonly #text: number;
  readonly #spacing: number;
  #events: FlockEvent[] = [];
  #marks: Mark[] = [];
  /** Of all events. */
  #weight = 0;
  #forgotten = 0;
  /** The first one is what the fold begins with; the others are in order. */
  #checkpoints: Checkpoint[];
  #head: Checkpoint;
  /** From here on nothing is missing that the server has for this viewer; undefined when nobody has said so. */
  #reach: number | undefined;

  /**
   * @param options.kept how many events it keeps, about.
   * @param options.text how many UTF-16 code units of streams and payloads they may hold, about.
   * @param options.base what the fold begins with. Default: nothing.
   */
  constructor({
    limits = DASHBOARD_LIMITS,
    kept = KEPT_EVENTS,
    text = KEPT_TEXT,
    spacing = SPACING,
    base = emptyState(),
  } = {}) {
    this.#limits = limits;
    this.#kept = kept;
    this.#text = text;
    this.#spacing = spacing;
    this.#head = { seq: base.seq, count: 0, state: base };
    this.#checkpoints = [this.#head];
  }

  /** The state after everything that is known. */
  get head(): FlockState {
    return this.#head.state;
  }

  /** The newest seq that is known, of an event or of the end of a gap; 0 before any. */
  get last(): number {
    return this.#head.seq;
  }

  /** The seq of the oldest kept event; `last + 1` when there is none. */
  get first(): number {
    return this.#events[0]?.seq ?? this.#head.seq + 1;
  }

  /** From this seq on all is here that the server has for this viewer: before the first event may be what is hidden. */
  get from(): number {
    return Math.max(Math.min(this.#reach ?? this.first, this.first), this.#forgotten + 1);
  }

  /** The newest seq that it has let go of; 0 when it has kept all that it was given. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** UTF-16 code units of streams and payloads that the events hold, about. */
  get weight(): number {
    return this.#weight;
  }

  /** Says from which seq on all is here. */
  reaches(seq: number): void {
    this.#reach = seq;
  }

  /** What is missing, oldest first. */
  get gaps(): readonly Gap[] {
    return this.#marks.flatMap((mark) => (mark.kind === "gap" ? [mark.gap] : []));
  }

  /** What is known beside the events, in its order. */
  get marks(): readonly Mark[] {
    return this.#marks;
  }

  /** The events up to a seq, as they stand now: later ones do not change it. */
  log(upTo = Number.POSITIVE_INFINITY): Log {
    return new Log(this.#events, this.#countUpTo(upTo));
  }

  /** Appends events and gaps that come after all others. Events that are known already are ignored. */
  append(entries: readonly LogEntry[]): void {
    let from = this.#events.length;
    for (const entry of entries) {
      if (entry.type === "gap") {
        this.#foldNew(from);
        this.mark({ kind: "gap", at: entry.to_seq, gap: entry });
        from = this.#events.length;
        continue;
      }
      if (entry.seq <= this.last && this.#events.length === from) continue;
      this.#weight += weightOf(entry);
      this.#events.push(entry);
    }
    this.#foldNew(from);
  }

  /** Folds the events from an index on, and lets go of the oldest where there are too many. */
  #foldNew(from: number): void {
    const until = this.#events.at(-1)?.seq ?? 0;
    if (this.#events.length > from) this.#head = this.#fold(this.#head, until, true);
    if (this.#events.length > this.#kept * 1.1 || this.#weight > this.#text * 1.1) this.#forget(this.#excess());
  }

  /** Takes in what is known at a place, also one in the past: what comes after it is folded anew. */
  mark(mark: Mark): void {
    const at = Math.max(mark.at, this.#events[0] ? this.#events[0].seq - 1 : 0);
    const index = this.#marks.findLastIndex((other) => other.at <= at) + 1;
    this.#marks.splice(index, 0, { ...mark, at });
    this.#refoldFrom(at, Math.max(this.last, mark.kind === "gap" ? at : 0));
  }

  /**
   * Takes in what agents had done before the first event that is kept, from the server's own counting somewhere within
   * what is: without it, a log whose beginning is not here would count from zero.
   */
  begin(graph: GraphSnapshot): void {
    const [base] = this.#checkpoints as [Checkpoint];
    const state = this.baseFor(graph);
    this.#checkpoints = [{ ...base, state }];
    this.#refoldFrom(base.seq, this.last);
  }

  /** What another timeline with the same events would have to begin with, to be as this one after `begin`. */
  baseFor(graph: GraphSnapshot): FlockState {
    const [base] = this.#checkpoints as [Checkpoint];
    return baseOf(base.state, this.at(graph.seq), graph);
  }

  /** Begins with what agents had done up to a seq, before any event is taken in. */
  startFrom(graph: GraphSnapshot, seq: number): void {
    this.#head = { seq, count: 0, state: withGraph({ ...emptyState(), seq }, graph) };
    this.#checkpoints = [this.#head];
  }

  /** The state after everything up to a seq. */
  at(seq: number): FlockState {
    if (seq >= this.last) return this.head;
    const nearest = this.#checkpoints.findLast((checkpoint) => checkpoint.seq <= seq) ?? this.#checkpoints[0];
    return this.#fold(nearest as Checkpoint, seq, false).state;
  }

  /** The place of the newest event up to a seq among those that `log` gives. */
  #countUpTo(seq: number): number {
    const events = this.#events;
    if (seq >= (events.at(-1)?.seq ?? 0)) return events.length;
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((events[middle] as FlockEvent).seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #fold(from: Checkpoint, until: number, keep: boolean): Checkpoint {
    let { seq, count, state } = from;
    const advance = (to: number) => {
      const end = this.#countUpTo(to);
      while (count < end) {
        const newest = this.#checkpoints.at(-1) as Checkpoint;
        const stop = keep ? Math.min(end, Math.max(count + 1, newest.count + this.#spacing)) : end;
        state = reduceAll(state, this.#events.slice(count, stop), this.#limits);
        count = stop;
        seq = (this.#events[count - 1] as FlockEvent).seq;
        if (keep && count - newest.count >= this.#spacing) this.#checkpoints.push({ seq, count, state });
      }
      seq = Math.max(seq, to);
    };
    for (const mark of this.#marks) {
      if (mark.at <= from.seq || mark.at > until) continue;
      // A state that is kept exactly there must have the mark in it.
      const before = this.#checkpoints.length;
      advance(mark.at);
      state = applied(state, mark);
      const kept = this.#checkpoints.at(-1);
      if (keep && this.#checkpoints.length > before && kept?.seq === mark.at)
        this.#checkpoints[this.#checkpoints.length - 1] = { ...kept, state };
    }
    advance(until);
    return { seq, count, state };
  }

  /** Folds anew what comes from a seq on, that seq included. */
  #refoldFrom(seq: number, until: number): void {
    const [base, ...others] = this.#checkpoints as [Checkpoint, ...Checkpoint[]];
    this.#checkpoints = [base, ...others.filter((checkpoint) => checkpoint.seq < seq)];
    let from = this.#checkpoints.at(-1) as Checkpoint;
    // What is known at the very beginning belongs to it.
    if (from === base) {
      for (const mark of this.#marks) {
        if (mark.at > base.seq) break;
        from = { ...from, state: applied(from.state, mark) };
      }
    }
    this.#head = this.#fold(from, until, true);
  }

  /** How many of the oldest events are too many. */
  #excess(): number {
    let excess = Math.max(0, this.#events.length - this.#kept);
    let weight = this.#weight - this.#text;
    for (let index = 0; weight > 0 && index < this.#events.length; index++) {
      weight -= weightOf(this.#events[index] as FlockEvent);
      excess = Math.max(excess, index + 1);
    }
    return excess;
  }

  /**
   * Lets go of so many of the oldest events, or a few more; what they led to is what the fold begins with, without what is
   * long in it.
   */
  #forget(excess: number): void {
    const enough = this.#checkpoints.findIndex(({ count }) => count >= excess);
    const index = enough < 0 ? this.#checkpoints.length - 1 : enough;
    if (index <= 0) return;
    const { count, state } = this.#checkpoints[index] as Checkpoint;
    for (const event of this.#events.slice(0, count)) {
      this.#weight -= weightOf(event);
      if (event.type === "artifact_published") trimArtifact(event);
      if (event.type === "agent_execution_completed") trimRun(state.runs.get(event.run_id));
      this.#forgotten = event.seq;
    }
    this.#events = this.#events.slice(count);
    this.#reach = undefined;
    const shifted = (checkpoint: Checkpoint) => ({ ...checkpoint, count: checkpoint.count - count });
    this.#checkpoints = this.#checkpoints.slice(index).map(shifted);
    this.#head = shifted(this.#head);
    const { seq } = this.#checkpoints[0] as Checkpoint;
    this.#marks = this.#marks.filter(({ at }) => at > seq);
  }
}

function applied(state: FlockState, mark: Mark): FlockState {
  return mark.kind === "gap" ? afterGap(state) : withGraph(state, mark.graph);
}
