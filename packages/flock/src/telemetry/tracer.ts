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

/** The API's proxy provider, which delegates to the application's provider once there is one. */
interface ProxyProvider extends TracerProvider {
  getDelegateTracer(name: string, version?: string): Tracer | undefined;
}

/**
 * Returns the application's tracer; undefined without an OpenTelemetry SDK. Not cached, because the SDK may be set up
 * late.
 */
export function tracerOfApplication(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return "getDelegateTracer" in provider
    ? (provider as ProxyProvider).getDelegateTracer("flock", VERSION)
    : provider.getTracer("flock", VERSION);
}

/**
 * Marks a span as failed. Omits message and stack, which may quote payloads and prompts; the log has them under the
 * same ids.
 */
export function markFailed(span: Span, type: string): void {
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Runs work inside a span, detached from any other active context. */
export function within<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(ROOT_CONTEXT, span), work);
}
