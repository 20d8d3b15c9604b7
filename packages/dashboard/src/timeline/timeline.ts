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

/** The retention of a tab's state. It is generous, because dashboards stay open and viewers look back. */
export const DASHBOARD_LIMITS: StateLimits = {
  runs: 10_000,
  artifacts: 100_000,
  gates: 2_000,
  streamCharacters: 200_000,
};

/** Events that a tab keeps. Older ones are loaded when the viewer travels to them. */
export const KEPT_EVENTS = 100_000;

/** About how many UTF-16 code units of streams and payloads these events may hold. Fewer events are kept where they are large. */
export const KEPT_TEXT = 50_000_000;

/** Events between two checkpoints: folding that many takes a few milliseconds. */
const SPACING = 2_000;

type Gap = ControlOf<"gap">;

/** A fact about the log besides its events. It applies after everything up to `at`. */
export type Mark =
  | { readonly kind: "gap"; readonly at: number; readonly gap: Gap }
  | { readonly kind: "graph"; readonly at: number; readonly graph: GraphSnapshot };

/** The state after everything up to `seq`, which are `count` of the kept events. */
interface Checkpoint {
  readonly seq: number;
  readonly count: number;
  readonly state: FlockState;
}

/**
 * The events of a tab, and the state at any of them. Checkpoints at intervals keep every seq a short fold away; nothing is
 * computed backwards.
 */
export class Timeline {
  readonly #limits: StateLimits;
  readonly #kept: number;
  readonly #text: number;
  readonly #spacing: number;
  #events: FlockEvent[] = [];
  #marks: Mark[] = [];
  /** The weight of all events. */
  #weight = 0;
  #forgotten = 0;
  /** The first one is the base of the fold. All are in order. */
  #checkpoints: Checkpoint[];
  #head: Checkpoint;
  /** From this seq on the timeline has all events that this viewer may see; undefined while that is not known. */
  #reach: number | undefined;

  /**
   * @param options.kept about how many events to keep.
   * @param options.text about how many UTF-16 code units of streams and payloads they may hold.
   * @param options.base the state that the fold begins with. Default: empty.
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

  /** The newest state. */
  get head(): FlockState {
    return this.#head.state;
  }

  /** The newest seq, of an event or of the end of a gap; 0 before any. */
  get last(): number {
    return this.#head.seq;
  }

  /** The seq of the oldest kept event; `last + 1` when there is none. */
  get first(): number {
    return this.#events[0]?.seq ?? this.#head.seq + 1;
  }

  /** From this seq on the timeline has all events that this viewer may see. Hidden ones may lie before the first event. */
  get from(): number {
    return Math.max(Math.min(this.#reach ?? this.first, this.first), this.#forgotten + 1);
  }

  /** The newest seq that was evicted; 0 when none was. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** About how many UTF-16 code units of streams and payloads the events hold. */
  get weight(): number {
    return this.#weight;
  }

  /** Sets the seq from which on the timeline has all events that this viewer may see. */
  reaches(seq: number): void {
    this.#reach = seq;
  }

  /** The gaps, oldest first. */
  get gaps(): readonly Gap[] {
    return this.#marks.flatMap((mark) => (mark.kind === "gap" ? [mark.gap] : []));
  }

  /** The marks, in the order of the log. */
  get marks(): readonly Mark[] {
    return this.#marks;
  }

  /** Returns the events up to a seq. Later events do not change the result. */
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

  /** Folds the events from an index on, and evicts the oldest where there are too many. */
  #foldNew(from: number): void {
    const until = this.#events.at(-1)?.seq ?? 0;
    if (this.#events.length > from) this.#head = this.#fold(this.#head, until, true);
    if (this.#events.length > this.#kept * 1.1 || this.#weight > this.#text * 1.1) this.#forget(this.#excess());
  }

  /** Adds a mark, also in the past: the events after it are folded again. */
  mark(mark: Mark): void {
    const at = Math.max(mark.at, this.#events[0] ? this.#events[0].seq - 1 : 0);
    const index = this.#marks.findLastIndex((other) => other.at <= at) + 1;
    this.#marks.splice(index, 0, { ...mark, at });
    this.#refoldFrom(at, Math.max(this.last, mark.kind === "gap" ? at : 0));
  }

  /**
   * Sets the counters that agents had before the first event, derived from the server's counters at a seq of the timeline.
   * Without them, a timeline that does not begin at the start of the log would count from zero.
   */
  begin(graph: GraphSnapshot): void {
    const [base] = this.#checkpoints as [Checkpoint];
    const state = this.baseFor(graph);
    this.#checkpoints = [{ ...base, state }];
    this.#refoldFrom(base.seq, this.last);
  }

  /** Returns the base state with which another timeline of the same events equals this one after `begin`. */
  baseFor(graph: GraphSnapshot): FlockState {
    const [base] = this.#checkpoints as [Checkpoint];
    return baseOf(base.state, this.at(graph.seq), graph);
  }

  /** Sets the counters that agents had at a seq, before any event is appended. */
  startFrom(graph: GraphSnapshot, seq: number): void {
    this.#head = { seq, count: 0, state: withGraph({ ...emptyState(), seq }, graph) };
    this.#checkpoints = [this.#head];
  }

  /** Returns the state after everything up to a seq. */
  at(seq: number): FlockState {
    if (seq >= this.last) return this.head;
    const nearest = this.#checkpoints.findLast((checkpoint) => checkpoint.seq <= seq) ?? this.#checkpoints[0];
    return this.#fold(nearest as Checkpoint, seq, false).state;
  }

  /** Counts the events up to a seq. */
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
      // A checkpoint at exactly this seq must include the mark.
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

  /** Folds the events from a seq on again, that seq included. */
  #refoldFrom(seq: number, until: number): void {
    const [base, ...others] = this.#checkpoints as [Checkpoint, ...Checkpoint[]];
    this.#checkpoints = [base, ...others.filter((checkpoint) => checkpoint.seq < seq)];
    let from = this.#checkpoints.at(-1) as Checkpoint;
    // Marks at the very beginning belong to the base.
    if (from === base) {
      for (const mark of this.#marks) {
        if (mark.at > base.seq) break;
        from = { ...from, state: applied(from.state, mark) };
      }
    }
    this.#head = this.#fold(from, until, true);
  }

  /** Counts the oldest events that exceed the limits. */
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
   * Evicts the oldest events up to the next checkpoint, which becomes the base of the fold. Trims the large values in it.
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
