import { createHash } from "node:crypto";
import { asSchema, type FlexibleSchema } from "ai";
import type { RunContext } from "../../agents/run-context.ts";
import { ToolApproval } from "../../agents/tool-approval.ts";
import { canonicalJson } from "../../blackboard/json.ts";
import { stepsOf } from "../../runtime/runs/steps.ts";

/** A call that a person decides about. */
export interface ProposedCall {
  readonly tool: string;
  readonly description: string | undefined;
  readonly inputSchema: FlexibleSchema<unknown>;
  /** The model's arguments. */
  readonly input: unknown;
}

/** What a person has decided. */
export type Decision =
  | { readonly isApproved: true; readonly input: unknown; readonly isChanged: boolean }
  | { readonly isApproved: false; readonly reason: string | undefined };

/** Number of equal calls of each run so far, by tool and arguments. */
const counts = new WeakMap<object, Map<string, number>>();

/**
 * Asks a person whether a model may call a tool. Arguments that the person changed must fit the tool's schema, or the
 * person is asked again. A later attempt at the same work that makes the same call finds the earlier decision.
 */
export async function decide(context: RunContext, call: ProposedCall): Promise<Decision> {
  const { tool, description, input } = call;
  const shown = jsonOf(input);
  const inputSchema = asSchema(call.inputSchema);
  const key = keyOf(context, tool, shown);
  let problem: string | undefined;
  for (let round = 1; ; round += 1) {
    const answer = await context.askPerson(ToolApproval, {
      question: `${problem === undefined ? "" : `The changed arguments are invalid: ${problem}. `}Call the tool \`${tool}\`?`,
      details: { tool, ...(description ? { description } : {}), arguments: shown },
      key: round === 1 ? key : `${key}:${round}`,
      schema: answerSchemaOf(await inputSchema.jsonSchema, shown),
    });
    if (!answer.approved) return { isApproved: false, reason: answer.reason?.trim() || undefined };
    const { arguments: changed } = answer;
    if (changed === undefined || canonicalJson(changed) === canonicalJson(shown))
      return { isApproved: true, input, isChanged: false };
    const checked = await inputSchema.validate?.(changed);
    if (checked?.success !== false) return { isApproved: true, input: checked?.value ?? changed, isChanged: true };
    problem = checked.error.message.slice(0, MAX_PROBLEM);
  }
}

/** Longest description of invalid arguments, in characters. */
const MAX_PROBLEM = 500;

/** Identifies a call across attempts: an approval holds for these arguments alone, and for one call. */
function keyOf(context: RunContext, tool: string, input: unknown): string {
  const call = createHash("sha256")
    .update(canonicalJson([tool, input]) ?? JSON.stringify([tool, input]))
    .digest("base64url");
  const run = stepsOf(context) ?? context;
  let counted = counts.get(run);
  if (!counted) counts.set(run, (counted = new Map()));
  const number = (counted.get(call) ?? 0) + 1;
  counted.set(call, number);
  return `tool:${tool.slice(0, 64)}:${call}:${number}`;
}

/** Returns the schema of the form: the arguments are those of the tool, filled in as the model has them. */
function answerSchemaOf(argumentsSchema: unknown, input: unknown): Record<string, unknown> {
  const { jsonSchema } = ToolApproval;
  const properties = jsonSchema.properties as Record<string, Record<string, unknown>>;
  const { $schema: _, ...own } = argumentsSchema as Record<string, unknown>;
  // A reference starts at the root of its document, which is another one here.
  const schema = JSON.stringify(own).includes('"$ref"') ? properties.arguments : own;
  const { description } = properties.arguments ?? {};
  return { ...jsonSchema, properties: { ...properties, arguments: { description, ...schema, default: input } } };
}

/** Returns arguments as JSON, because a tool's schema may have made dates or other objects of them. */
function jsonOf(input: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(input) ?? "null");
  } catch {
    return String(input);
  }
}
