import { isSpanContextValid, type Span } from "@opentelemetry/api";

/** A pino logger, as far as the runtime uses one. */
export interface RootLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  child(bindings: object): RootLog;
}

/** What each line about a run tells of it. */
interface LoggedRun {
  readonly id: string;
  readonly runId: string;
  readonly agent: { readonly name: string };
  readonly correlationId: string;
}

/** A log whose lines tell which run they are about, and where in which trace when its span is recorded. */
export function logOf(log: RootLog, { agent, runId, correlationId, id }: LoggedRun, span: Span | undefined): RootLog {
  const ids = { agent: agent.name, run_id: runId, correlation_id: correlationId, activation_id: id };
  if (!span?.isRecording()) return log.child(ids);
  const place = span.spanContext();
  return log.child(isSpanContextValid(place) ? { ...ids, trace_id: place.traceId, span_id: place.spanId } : ids);
}
