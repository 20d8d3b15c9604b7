import type { AnyArtifactType, Draft } from "../../blackboard/artifact-type.ts";
import { canonicalJson } from "../../blackboard/json.ts";
import { FlockError } from "../../core/errors.ts";
import type { AnswerSchema } from "./answer-schema.ts";
import { valuesIn } from "./answer-text.ts";

/**
 * Parses drafts from a model's answer, one of each type or a list of them. An answer that is not JSON as a whole counts
 * if exactly one value in it fits; see {@link valuesIn}.
 * @throws FlockError `model_answer_invalid`, with a message that helps the model correct its answer.
 */
export function draftsOf(text: string, answer: AnswerSchema): Draft[] {
  if (text.trim() === "") throw invalid("it is empty");
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    return draftsAmong(text, answer, error);
  }
  // Answers are objects, so that an array is never one.
  return draftsFrom(Array.isArray(whole) && whole.length === 1 ? whole[0] : whole, answer);
}

/** Finds the one value in a text that fits. Equal values count as one. */
function draftsAmong(text: string, answer: AnswerSchema, notJson: unknown): Draft[] {
  const { candidates, others } = valuesIn(text);
  const different = new Map(candidates.map((value) => [canonicalJson(value) ?? JSON.stringify(value), value]));
  let found: Draft[] | undefined;
  let problem: FlockError | undefined;
  let fitting = others.filter((value) => fits(value, answer)).length;
  for (const value of different.values()) {
    try {
      found = draftsFrom(value, answer);
      fitting += 1;
    } catch (error) {
      if (!(error instanceof FlockError)) throw error;
      problem = error;
    }
  }
  if (fitting > 1) throw invalid("it contains several different values that fit. Answer with one");
  if (found) return found;
  // With several values, it is not clear which one was meant.
  if (problem && different.size === 1) throw problem;
  throw invalid(`it is not JSON (${(notJson as Error).message})`, notJson);
}

function fits(value: unknown, answer: AnswerSchema): boolean {
  try {
    draftsFrom(value, answer);
    return true;
  } catch (error) {
    if (error instanceof FlockError) return false;
    throw error;
  }
}

function draftsFrom(value: unknown, { single, lists, types }: AnswerSchema): Draft[] {
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

function invalid(problem: string, cause?: unknown): FlockError {
  const issues = cause instanceof FlockError ? cause.issues : [];
  return new FlockError("model_answer_invalid", problem, { cause, issues });
}
