import type { AgentDefinition } from "../../agents/definition.ts";
import { Draft } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";

/**
 * Returns the drafts that an agent may publish out of those that it has returned.
 * @param early counts what its run has published before, by type.
 * @throws FlockError `wrong_output`, or what the agent's own functions throw.
 */
export function checkOutput(
  agent: AgentDefinition,
  drafts: readonly Draft[],
  early?: { count(type: string): number },
): readonly Draft[] {
  return agent.outputs ? agent.outputs.check(drafts, early && ((type) => early.count(type))) : drafts;
}

/** What an agent has returned, if that is drafts of types that it may publish. Throws `wrong_output` otherwise. */
export function draftsOf(agent: AgentDefinition, output: unknown): readonly Draft[] {
  if (output === undefined || output === null) {
    if (agent.publishes.size === 0) return [];
    throw new FlockError(
      "wrong_output",
      `Invalid output of agent \`${agent.name}\`: it returned nothing. Return what it publishes, or \`[]\` to publish nothing.`,
    );
  }
  const drafts = Array.isArray(output) ? output : [output];
  for (const draft of drafts) assertMayPublish(agent, draft, "returned");
  return drafts;
}

/** Throws `wrong_output` unless something is a draft of a type that the agent may publish. */
export function assertMayPublish(
  agent: AgentDefinition,
  draft: unknown,
  did: "returned" | "published",
): asserts draft is Draft {
  if (!(draft instanceof Draft)) {
    throw new FlockError(
      "wrong_output",
      `Invalid output of agent \`${agent.name}\`: it ${did} ${describe(draft)}. ${did === "returned" ? "Return" : "Publish"} drafts, such as \`Pizza({ … })\`.`,
    );
  }
  if (agent.publishes.has(draft.type)) return;
  throw new FlockError(
    "wrong_output",
    `Invalid output of agent \`${agent.name}\`: it ${did} \`${draft.type}\`, but declares only \`.publishes(${[...agent.publishes.keys()].join(", ")})\`. Declare the type.`,
  );
}

/** A value in an error message. */
export function describe(value: unknown): string {
  return value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;
}
