/** A language model, as far as the core looks at it. Every model of the AI SDK is one. */
export interface ModelObject {
  /** Of the AI SDK's interface, such as `v4`. */
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
}

/**
 * A language model of the AI SDK, or `"provider/model"`, such as `"openai/gpt-4.1"` or `"anthropic/claude-sonnet-4-5"`,
 * with its key in the environment: see `resolveModel` of `flock-ts/engines/ai`.
 */
export type Model = ModelObject | string;

/** Whether a value can be a {@link Model}. */
export function isModel(value: unknown): value is Model {
  if (typeof value === "string") return value !== "";
  const { specificationVersion, modelId } = (value ?? {}) as Partial<ModelObject>;
  return typeof specificationVersion === "string" && typeof modelId === "string";
}
