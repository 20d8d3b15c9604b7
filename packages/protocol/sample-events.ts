import type { EventOf } from "./src/wire/events.ts";

/** Returns a `streaming_output` event with a given `seq`, for tests. */
export function outputAt(seq: number, more: Partial<EventOf<"streaming_output">> = {}): EventOf<"streaming_output"> {
  return {
    type: "streaming_output",
    seq,
    timestamp: new Date(Date.UTC(2026, 0, 1) + seq * 1_000).toISOString(),
    agent_id: "a",
    run_id: "r",
    correlation_id: "c",
    content: "",
    offset: 0,
    is_complete: false,
    output_type: "text",
    ...more,
  };
}
