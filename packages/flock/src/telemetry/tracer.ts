import {
  context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { VERSION } from "../core/version.ts";

/** What stands in for a provider until the application has set one up. */
interface Stand extends TracerProvider {
  getDelegateTracer(name: string, version?: string): Tracer | undefined;
}

/** The application's tracer; undefined as long as it has set up no OpenTelemetry SDK. Asked each time: that may come late. */
export function tracerOfApplication(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return "getDelegateTracer" in provider
    ? (provider as Stand).getDelegateTracer("flock", VERSION)
    : provider.getTracer("flock", VERSION);
}

/**
 * Marks what a span tells of as failed. Neither message nor stack: they may quote payloads and prompts, and stand in the
 * log under the same ids.
 */
export function markFailed(span: Span, type: string): void {
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Does something as part of a span, and of nothing else that happens to go on. */
export function within<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(ROOT_CONTEXT, span), work);
}
