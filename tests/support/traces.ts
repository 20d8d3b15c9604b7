import { context, propagation, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";

/** An application's OpenTelemetry SDK that keeps its spans in memory. It is taken down with the test. */
export class Traces implements AsyncDisposable {
  readonly #exporter = new InMemorySpanExporter();
  readonly #provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] });
  /** The application's own tracer. */
  readonly tracer = this.#provider.getTracer("application");

  constructor() {
    this.#provider.register();
  }

  /** All that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  /** The one span of a name. */
  one(name: string): ReadableSpan {
    const [span, ...others] = this.all(name);
    if (!span || others.length > 0) throw new Error(`${others.length + (span ? 1 : 0)} spans are called ${name}`);
    return span;
  }

  all(name: string): readonly ReadableSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** The names from a span up to where its trace begins. */
  way(span: ReadableSpan): string[] {
    const above = this.spans.find(
      (one) =>
        one.spanContext().spanId === span.parentSpanContext?.spanId &&
        one.spanContext().traceId === span.spanContext().traceId,
    );
    return above ? [span.name, ...this.way(above)] : [span.name];
  }

  /** The ids of all traces. */
  get traceIds(): string[] {
    return [...new Set(this.spans.map((span) => span.spanContext().traceId))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  }
}
