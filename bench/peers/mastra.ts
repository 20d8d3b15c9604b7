// Mastra: a committed workflow with step schemas, without input validation, logging or tracing.
import { Mastra } from "@mastra/core";
import { InMemoryStore } from "@mastra/core/storage";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { z } from "zod";
import { answerWith, inGroups, times, type Work } from "../programs/program.ts";
import { CHAINS_AT_ONCE, chainOf, checked, FAN_OUTS_AT_ONCE, fanOutOf, START, step } from "../programs/steps.ts";

answerWith({
  chain: (agents) => chain(agents, false),
  "chain, kept": (agents) => chain(agents, true),
  "fan-out": (agents) => fanOut(agents, false),
  "fan-out, kept": (agents) => fanOut(agents, true),
});

const Count = z.object({ n: z.number() });
const Nothing = z.object({});

/** Steps in sequence. */
function chain(agents: number, isKept: boolean): Work {
  let workflow = emptyWorkflow(isKept);
  for (const id of idsOf(agents)) {
    workflow = workflow.then(
      createStep({
        id,
        inputSchema: Count,
        outputSchema: Count,
        execute: async ({ inputData: { n } }) => ({ n: step(n) }),
      }),
    );
  }
  return checked(starting(workflow.commit(), 0, CHAINS_AT_ONCE, isKept), chainOf(agents));
}

/** Steps in parallel. */
function fanOut(agents: number, isKept: boolean): Work {
  const steps = idsOf(agents).map((id) =>
    createStep({
      id,
      inputSchema: Count,
      outputSchema: Nothing,
      execute: async ({ inputData: { n } }) => {
        step(n);
        return {};
      },
    }),
  );
  const workflow = emptyWorkflow(isKept).parallel(steps);
  return checked(starting(workflow.commit(), START, FAN_OUTS_AT_ONCE, isKept), fanOutOf(agents));
}

function idsOf(agents: number): string[] {
  return Array.from({ length: agents }, (_, i) => `a${i}`);
}

function emptyWorkflow(isKept: boolean) {
  return createWorkflow({
    id: "bench",
    inputSchema: Count,
    outputSchema: z.any(),
    options: { validateInputs: false, shouldPersistSnapshot: () => isKept },
  });
}

/** A workflow's type contains its steps, which a runner does not need. */
type Runnable = Pick<ReturnType<typeof emptyWorkflow>, "createRun">;

function starting(workflow: Runnable, n: number, atOnce: number, isKept: boolean): Work {
  if (isKept) new Mastra({ workflows: { bench: workflow as never }, storage: new InMemoryStore(), logger: false });
  return inGroups(atOnce, async (count) => {
    await times(count, async () => {
      const run = await workflow.createRun();
      const { status } = await run.start({ inputData: { n } });
      if (status !== "success") throw new Error(`a workflow ended with status \`${status}\``);
    });
  });
}
