import { isSpanContextValid, type Span } from "@opentelemetry/api";

/** The part of a pino logger that the runtime uses. */
export interface RootLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  child(bindings: object): RootLog;
}

/** The fields of a run in its log lines. */
interface LoggedRun {
  readonly id: string;
  readonly runId: string;
  readonly agent: { readonly name: string };
  readonly correlationId: string;
}

/** Returns a logger whose lines carry the run's ids, and its trace and span ids when the span is recorded. */
export function logOf(log: RootLog, { agent, runId, correlationId, id }: LoggedRun, span: Span | undefined): RootLog {
  const ids = { agent: agent.name, run_id: runId, correlation_id: correlationId, activation_id: id };
  if (!span?.isRecording()) return log.child(ids);
  const spanContext = span.spanContext();
  return log.child(
    isSpanContextValid(spanContext) ? { ...ids, trace_id: spanContext.traceId, span_id: spanContext.spanId } : ids,
  );
}
