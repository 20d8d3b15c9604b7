import { z } from "zod";

/** The part of a language model that the core reads. Every AI SDK model matches it. */
export interface ModelObject {
  /** Version of the AI SDK's interface, such as `v4`. */
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
}

/**
 * A language model: an AI SDK model, or `"provider/model"` such as `"openai/gpt-4.1"` or
 * `"anthropic/claude-sonnet-4-5"`. The string form reads the API key from the environment; see `resolveModel` of
 * `flock-ts/engines/ai`.
 */
export type Model = ModelObject | string;

/**
 * A model, or several in order of preference. If one is unavailable, the next one is asked: on 401 to 404, 408, 409,
 * 429 and 5xx, without a connection, and when it sends nothing for `idleTimeout`.
 */
export type ModelChoice = Model | readonly Model[];

/** Options of an agent's model. */
export interface ModelOptions {
  /**
   * Longest time between two pieces of an answer, and before the first one, in ms. Then the request ends, and another
   * model or a retry may follow. The time that tools and people take does not count. Default: 90,000.
   */
  readonly idleTimeout?: number | undefined;
}

/** Validates {@link ModelOptions}. */
export const modelOptionsSchema = z.strictObject({ idleTimeout: z.int().min(1).optional() });

/** Returns the models of a choice, the preferred one first. */
export function modelsOf(choice: ModelChoice): readonly Model[] {
  return Array.isArray(choice) ? choice : [choice as Model];
}

/** Returns whether a value can be a {@link ModelChoice}. */
export function isModelChoice(value: unknown): value is ModelChoice {
  return Array.isArray(value) ? value.length > 0 && value.every(isModel) : isModel(value);
}

/** Returns whether a value can be a {@link Model}. */
function isModel(value: unknown): value is Model {
  if (typeof value === "string") return value !== "";
  const { specificationVersion, modelId } = (value ?? {}) as Partial<ModelObject>;
  return typeof specificationVersion === "string" && typeof modelId === "string";
}
