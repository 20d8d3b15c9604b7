import type { AnyArtifactType, Draft } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import type { AnswerSchema } from "./answer-schema.ts";

/**
 * Parses drafts from a model's answer, one of each type or a list of them.
 * @throws FlockError `model_answer_invalid`, with a message that helps the model correct its answer.
 */
export function draftsOf(text: string, { single, lists, types }: AnswerSchema): Draft[] {
  const value = parseJson(text);
  if (single) return [validated(single, value)];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`it is not an object with the keys ${types.map(({ typeName }) => typeName).join(", ")}`);
  }
  return types.flatMap((type) => {
    if (!Object.hasOwn(value, type.typeName)) throw invalid(`the key ${type.typeName} is missing`);
    const part = (value as Record<string, unknown>)[type.typeName];
    if (!lists.has(type.typeName)) return [validated(type, part)];
    if (!Array.isArray(part)) throw invalid(`the value of \`${type.typeName}\` is not an array`);
    return part.map((payload) => validated(type, payload));
  });
}

function validated(type: AnyArtifactType, payload: unknown): Draft {
  try {
    return type.parse(payload);
  } catch (error) {
    if (!(error instanceof FlockError)) throw error;
    throw invalid(error.message, error);
  }
}

function parseJson(text: string): unknown {
  const json = withoutFence(text.trim());
  if (json === "") throw invalid("it is empty");
  try {
    return JSON.parse(json);
  } catch (error) {
    throw invalid(`it is not JSON (${(error as Error).message})`, error);
  }
}

/** Removes a Markdown fence, which models without an enforced schema tend to add. */
function withoutFence(text: string): string {
  return /^```(?:json)?\s*\n([\s\S]*)\n```$/.exec(text)?.[1]?.trim() ?? text;
}

function invalid(problem: string, cause?: unknown): FlockError {
  const issues = cause instanceof FlockError ? cause.issues : [];
  return new FlockError("model_answer_invalid", problem, { cause, issues });
}
