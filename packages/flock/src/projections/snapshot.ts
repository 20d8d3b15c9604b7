import { EXTERNAL, type FlockEvent } from "@flock-ts/protocol";
import type { LogSource } from "../log/source.ts";
import type { Snapshot, WorkStore } from "../store/work.ts";
import type { SnapshotWrite } from "../store/writes.ts";
import type { GraphProjection, SavedState } from "./graph.ts";
import type { History, SavedHistory } from "./history.ts";

/** Saves the state of the agents and their history next to the log. */
export function snapshotOf(state: GraphProjection, history: History): SnapshotWrite {
  const saved = JSON.stringify({ ...state.save(), history: history.save() });
  return { kind: "snapshot", seq: state.seq, state: saved };
}

/** Restores the saved state and applies the events that were logged since then. */
export async function restoreState(
  log: LogSource,
  work: Pick<WorkStore, "typesOf">,
  saved: Snapshot | undefined,
  state: GraphProjection,
  history: History,
): Promise<void> {
  let seq = log.oldest - 1;
  if (saved) {
    const { history: savedHistory, ...rest } = saved.state as SavedState & { readonly history: SavedHistory };
    state.restore(rest, saved.seq);
    history.restore(savedHistory);
    seq = Math.max(seq, saved.seq);
  }
  while (seq < log.head) {
    const { lines, last } = await log.read(seq + 1, log.head);
    const events = lines.split("\n").map((line) => JSON.parse(line) as FlockEvent);
    const consumed = events.flatMap((event) =>
      event.type === "agent_execution_started" && event.seq > seq ? event.consumed_artifacts : [],
    );
    const types = consumed.length > 0 ? await work.typesOf([...new Set(consumed)]) : NO_TYPES;
    for (const event of events) {
      if (event.seq <= seq) continue;
      state.apply(event);
      addToHistory(history, event, types);
    }
    seq = last;
  }
}

const NO_TYPES: ReadonlyMap<string, string> = new Map();

function addToHistory(history: History, event: FlockEvent, types: ReadonlyMap<string, string>): void {
  if (event.type === "artifact_published" && event.produced_by !== EXTERNAL) {
    const { artifact_type: type, timestamp: createdAt, visibility } = event;
    if (event.revealed) history.revealed(event.produced_by, { type, visibility }, createdAt);
    else history.produced(event.produced_by, { type, createdAt, visibility });
  } else if (event.type === "agent_execution_started") {
    const consumed = event.consumed_artifacts.flatMap((id) => {
      const type = types.get(id);
      return type === undefined ? [] : { type };
    });
    history.consumed(event.agent_id, consumed, event.visibility);
  }
}
