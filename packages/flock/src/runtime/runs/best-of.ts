import type { BestOf, Score } from "../../agents/best-of-options.ts";
import { isGenerator } from "../../agents/context-provider.ts";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Inputs } from "../../agents/inputs.ts";
import type { RunContext, RunPublishOptions, StreamOptions } from "../../agents/run-context.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import { asActivity } from "./current-run.ts";
import { drain } from "./drain.ts";
import { assertMayPublish, checkOutput, draftsOf } from "./output-check.ts";

/** One try at an output. */
interface Candidate {
  readonly output: readonly Draft[];
  readonly score: number;
  readonly said: readonly Piece[];
}

/** What a candidate has streamed under one label. */
interface Piece {
  text: string;
  readonly options: StreamOptions | undefined;
}

/** Reads the inputs of a run once more. Candidates must not share what JavaScript cannot freeze, such as decoded bytes. */
const readers = new WeakMap<Inputs, () => Inputs>();

/** Returns inputs that each candidate reads for itself. */
export function readableAgain(read: () => Inputs): Inputs {
  const inputs = read();
  readers.set(inputs, read);
  return inputs;
}

/** The agent itself, or one whose runs try as often as it says, and give the best. */
export function tryingSeveral(agent: AgentDefinition): AgentDefinition {
  const { bestOf } = agent;
  return bestOf ? { ...agent, run: (inputs, context) => best(agent, bestOf, inputs, context) } : agent;
}

async function best(agent: AgentDefinition, { count, score }: BestOf, inputs: Inputs, context: RunContext) {
  const tries = await Promise.allSettled(
    Array.from({ length: count }, () => asActivity(() => attempt(agent, score, inputs, context))),
  );
  context.signal.throwIfAborted();
  let winner: Candidate | undefined;
  let failed = 0;
  const scores: Record<string, number> = {};
  for (const [place, one] of tries.entries()) {
    if (one.status === "rejected") {
      failed += 1;
      const { agent: name, runId, log } = context;
      log.warn({ err: one.reason, agent: name, runId, candidate: place + 1 }, "a candidate failed");
      continue;
    }
    scores[`score_${place + 1}`] = one.value.score;
    if (!winner || one.value.score > winner.score) winner = one.value;
  }
  context.addUsage({ candidates: count, candidates_failed: failed, ...scores });
  if (!winner) throw (tries[0] as PromiseRejectedResult).reason;
  for (const { text, options } of winner.said) context.stream(text, options);
  return winner.output;
}

async function attempt(agent: AgentDefinition, score: Score, inputs: Inputs, context: RunContext): Promise<Candidate> {
  const said: Piece[] = [];
  const held: Draft[] = [];
  const own = listening(agent, context, said, held);
  const result = agent.run(readers.get(inputs)?.() ?? inputs, own);
  const output: unknown = isGenerator(result)
    ? await drain(result, {
        agent: agent.name,
        stopped: () => (context.signal.aborted ? context.signal.reason : undefined),
        write: own.stream,
      })
    : await result;
  context.signal.throwIfAborted();
  const drafts = [...held, ...draftsOf(agent, output)];
  const points: unknown = await score(checkOutput(agent, drafts), own);
  if (typeof points === "number" && Number.isFinite(points)) return { output: drafts, score: points, said };
  throw new FlockError(
    "wrong_output",
    `Invalid score of agent \`${agent.name}\`: \`bestOf\` received ${String(points)}. Return a finite number.`,
  );
}

/**
 * Returns the context of a run for one of its candidates: what it streams and publishes is kept until it is known
 * whether it is the best.
 */
function listening(agent: AgentDefinition, context: RunContext, said: Piece[], held: Draft[]): RunContext {
  const publish = (draft: Draft, options?: RunPublishOptions): Promise<undefined> | undefined => {
    assertMayPublish(agent, draft, "published");
    if (options?.atEnd === true) {
      held.push(draft);
      return undefined;
    }
    return Promise.reject(
      new FlockError(
        "wrong_output",
        `Failed to publish \`${draft.type}\` from agent \`${agent.name}\`: with \`.bestOf\`, the best candidate is known only at the end. Use \`{ atEnd: true }\`, or return the draft.`,
      ),
    );
  };
  const stream = (text: string, options?: StreamOptions) => {
    const last = said.at(-1);
    const isSame =
      last?.options?.outputType === options?.outputType && last?.options?.artifactType === options?.artifactType;
    if (last && isSame) last.text += text;
    else said.push({ text, options });
  };
  // What else a context has, and will have, it keeps: some of it is made when it is first read.
  return new Proxy(context, {
    get: (target, name) => {
      if (name === "stream") return stream;
      return name === "publish" ? publish : Reflect.get(target, name, target);
    },
  });
}
