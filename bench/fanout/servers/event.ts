/** The event that Flock makes of a streamed text, for the peers to send: the same bytes for all. */
export function eventOf(n: number, content: string) {
  return {
    type: "streaming_output",
    seq: n,
    timestamp: new Date().toISOString(),
    agent_id: "writer",
    run_id: "5f0c2d2e-0b3f-4f6e-9b6b-2f8e8f2b7c11",
    correlation_id: "a1f7a0fb-53b4-4a6e-8f2f-8e1b7ad0cb6f",
    content,
    is_complete: false,
    offset: n * 40,
    output_type: "text",
  };
}
