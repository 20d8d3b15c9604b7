import type { Telemetry } from "ai";
import type { ModelObject } from "../../agents/model.ts";
import type { RunContext } from "../../agents/run-context.ts";
import { type Step, stepsOf } from "../../runtime/runs/steps.ts";
import { placeOfSteps } from "../../telemetry/step-span.ts";
import { providerOf } from "./model-error.ts";

/** The steps of one request: each call of the model. */
export interface ModelSteps {
  /** Telemetry options for the AI SDK. */
  readonly telemetry: { readonly integrations: readonly Telemetry[] };
  /** Fails the step that is in progress. */
  failed(error: unknown): void;
}

/** Creates the steps of a request, as children of the active context. */
export function modelStepsOf(run: RunContext, model: ModelObject): ModelSteps {
  const place = placeOfSteps();
  const steps = stepsOf(run);
  let call: Step | undefined;

  const hooks: Telemetry = {
    executeLanguageModelCall: async ({ execute }) => {
      const { modelId, provider } = model;
      const attributes = { "gen_ai.provider.name": providerOf(provider), "gen_ai.output.type": "json" };
      const step = await steps?.begin({ kind: "model", name: modelId, model, place, attributes });
      if (!step) return execute();
      call = step;
      try {
        return await step.within(execute);
      } catch (error) {
        call = undefined;
        step.fail(error);
        throw error;
      }
    },
    onLanguageModelCallEnd: ({ finishReason, usage, responseId }) => {
      const { inputTokens: input = 0, outputTokens: output = 0, totalTokens: total = input + output } = usage;
      const spent = { input_tokens: input, output_tokens: output, total_tokens: total };
      if (!call) return run.addUsage(spent);
      call.addUsage(spent);
      call.set({
        "gen_ai.response.finish_reasons": [finishReason],
        "gen_ai.response.id": responseId,
        "gen_ai.usage.input_tokens": usage.inputTokens,
        "gen_ai.usage.output_tokens": usage.outputTokens,
      });
      call.end();
      call = undefined;
    },
  };
  return {
    // Integrations of a call replace the globally registered ones, so include those.
    telemetry: { integrations: [...(globalThis.AI_SDK_TELEMETRY_INTEGRATIONS ?? []), hooks] },
    failed: (error) => {
      call?.fail(error);
      call = undefined;
    },
  };
}
