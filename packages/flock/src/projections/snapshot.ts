import { EXTERNAL, type FlockEvent } from "@flock-ts/protocol";
import type { DurablePart } from "../store/store.ts";
import type { GraphProjection, SavedState } from "./graph.ts";
import type { History, SavedHistory } from "./history.ts";

/** Saves the state of the agents and their history next to the log. */
export function saveState(durable: DurablePart, state: GraphProjection, history: History): void {
  durable.saveSnapshot(state.seq, { ...state.save(), history: history.save() });
}

/** Restores the saved state and applies the events that were logged since then. */
export function restoreState(durable: DurablePart, state: GraphProjection, history: History): void {
  const { log } = durable;
  const saved = durable.snapshot();
  let seq = log.oldest - 1;
  if (saved) {
    const { history: savedHistory, ...rest } = saved.state as SavedState & { readonly history: SavedHistory };
    state.restore(rest, saved.seq);
    history.restore(savedHistory);
    seq = Math.max(seq, saved.seq);
  }
  while (seq < log.head) {
    const { lines, last } = log.read(seq + 1, log.head);
    for (const line of lines.split("\n")) {
      const event = JSON.parse(line) as FlockEvent;
      if (event.seq <= seq) continue;
      state.apply(event);
      addToHistory(history, event, durable);
    }
    seq = last;
  }
}

function addToHistory(history: History, event: FlockEvent, durable: DurablePart): void {
  if (event.type === "artifact_published" && event.produced_by !== EXTERNAL) {
    const { artifact_type: type, timestamp: createdAt, visibility } = event;
    if (event.revealed) history.revealed(event.produced_by, { type, visibility }, createdAt);
    else history.produced(event.produced_by, { type, createdAt, visibility });
  } else if (event.type === "agent_execution_started") {
    const types = event.consumed_artifacts.map((id) => durable.typeOf(id));
    history.consumed(
      event.agent_id,
      types.flatMap((type) => (type === undefined ? [] : { type })),
      event.visibility,
    );
  }
}
