import { type Attributes, context, type Span, SpanKind } from "@opentelemetry/api";
import type { Telemetry } from "ai";
import type { ModelObject } from "../../agents/engine.ts";
import type { RunContext } from "../../agents/run-context.ts";
import { markFailed, tracerOfApplication, within } from "../../telemetry/tracer.ts";
import { providerOf } from "./model-error.ts";

/** The spans of one question to a model: of each call of the model, and of each tool. */
export interface ModelSpans {
  /** For the AI SDK. */
  readonly telemetry: { readonly integrations: readonly Telemetry[] };
  /** A call that had begun has come to nothing. */
  failed(error: unknown): void;
}

/** Makes the spans of a question under whatever is active now; undefined when the application has set up no OpenTelemetry SDK. */
export function modelSpansOf({ agent, correlationId, signal }: RunContext, model: ModelObject): ModelSpans | undefined {
  const tracer = tracerOfApplication();
  if (!tracer) return undefined;
  const place = context.active();
  const about: Attributes = { "gen_ai.agent.name": agent, "gen_ai.conversation.id": correlationId };
  let call: Span | undefined;

  function fail(span: Span, error: unknown): void {
    const { reason } = signal;
    // Who stops a run has not found an error.
    if (!signal.aborted) markFailed(span, error instanceof Error ? error.name : "_OTHER");
    else if ((reason as Error).name === "RunTimedOut") markFailed(span, "timeout");
    else span.setAttribute("flock.run.status", (reason as { status: string }).status);
    span.end();
  }

  const spans: Telemetry = {
    executeLanguageModelCall: async ({ execute }) => {
      const { modelId, provider } = model;
      const span = tracer.startSpan(
        `chat ${modelId}`,
        {
          kind: SpanKind.CLIENT,
          attributes: {
            ...about,
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": modelId,
            "gen_ai.provider.name": providerOf(provider),
            "gen_ai.output.type": "json",
          },
        },
        place,
      );
      call = span;
      try {
        return await within(span, execute);
      } catch (error) {
        call = undefined;
        fail(span, error);
        throw error;
      }
    },
    onLanguageModelCallEnd: ({ finishReason, usage, responseId }) => {
      if (!call) return;
      const { inputTokens, outputTokens } = usage;
      call.setAttribute("gen_ai.response.finish_reasons", [finishReason]);
      call.setAttribute("gen_ai.response.id", responseId);
      if (inputTokens !== undefined) call.setAttribute("gen_ai.usage.input_tokens", inputTokens);
      if (outputTokens !== undefined) call.setAttribute("gen_ai.usage.output_tokens", outputTokens);
      call.end();
      call = undefined;
    },
    executeTool: async ({ toolCall, toolCallId, execute }) => {
      const name = toolCall?.toolName ?? "unknown";
      const span = tracer.startSpan(
        `execute_tool ${name}`,
        {
          attributes: {
            ...about,
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": toolCallId,
            "gen_ai.tool.type": "function",
          },
        },
        place,
      );
      try {
        const result = await within(span, execute);
        span.end();
        return result;
      } catch (error) {
        fail(span, error);
        throw error;
      }
    },
  };
  return {
    // Integrations that are given with a call stand in for those that the application has registered for all.
    telemetry: { integrations: [...(globalThis.AI_SDK_TELEMETRY_INTEGRATIONS ?? []), spans] },
    failed: (error) => {
      if (call) fail(call, error);
      call = undefined;
    },
  };
}
