import { type Attributes, type Context, context, type Span, SpanKind } from "@opentelemetry/api";
import { markFailed, tracerOfApplication, within } from "./tracer.ts";

/** Parent context of a span. */
export type Place = Context;

/** Attributes of a span. */
export type SpanFacts = Attributes;

/** A call of a model or a tool, reduced to the fields of its span. */
export interface TracedStep {
  readonly kind: "model" | "tool";
  /** The model's id, or the tool's name. */
  readonly name: string;
  readonly agent: string;
  readonly correlationId: string;
  readonly place: Place;
  readonly attributes?: Attributes | undefined;
}

/** Returns the active context, which is the parent of steps that start here. */
export function placeOfSteps(): Place {
  return context.active();
}

/** Starts the span of a step; undefined when the application has no OpenTelemetry SDK. */
export function beginStep(step: TracedStep): StepSpan | undefined {
  const tracer = tracerOfApplication();
  if (!tracer) return undefined;
  const { kind, name, agent, correlationId, place, attributes } = step;
  const about: Attributes = { "gen_ai.agent.name": agent, "gen_ai.conversation.id": correlationId };
  const span =
    kind === "model"
      ? tracer.startSpan(
          `chat ${name}`,
          {
            kind: SpanKind.CLIENT,
            attributes: { ...about, "gen_ai.operation.name": "chat", "gen_ai.request.model": name, ...attributes },
          },
          place,
        )
      : tracer.startSpan(
          `execute_tool ${name}`,
          {
            attributes: {
              ...about,
              "gen_ai.operation.name": "execute_tool",
              "gen_ai.tool.name": name,
              "gen_ai.tool.type": "function",
              ...attributes,
            },
          },
          place,
        );
  return new StepSpan(span);
}

/** The span of a call of a model or a tool. */
export class StepSpan {
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  /** Runs work inside the span. */
  within<T>(work: () => T): T {
    return within(this.#span, work);
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  end(): void {
    this.#span.end();
  }

  /** Ends the span because its run has ended first. */
  abandon(status: string): void {
    this.#span.setAttributes({ "flock.run.status": status, "flock.step.unfinished": true });
    if (status === "timeout") markFailed(this.#span, "timeout");
    this.#span.end();
  }

  /** Ends the span with the error, or with the reason why its run was stopped. */
  fail(reason: unknown, isStopped: boolean): void {
    if (!isStopped) markFailed(this.#span, reason instanceof Error ? reason.name : "_OTHER");
    else if ((reason as Error).name === "RunTimedOut") markFailed(this.#span, "timeout");
    else this.#span.setAttribute("flock.run.status", (reason as { status?: string }).status ?? "error");
    this.#span.end();
  }
}
