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

/** Returns whether a value can be a {@link Model}. */
export function isModel(value: unknown): value is Model {
  if (typeof value === "string") return value !== "";
  const { specificationVersion, modelId } = (value ?? {}) as Partial<ModelObject>;
  return typeof specificationVersion === "string" && typeof modelId === "string";
}
