import type { WireError } from "@flock-ts/protocol";
import { z } from "zod";
import { artifact, type Draft, type PayloadOf } from "../../blackboard/artifact-type.ts";
import type { Activation } from "../runs/activation.ts";

/**
 * Reports work that has failed permanently, after its retries: each dead letter. Published in the commit of the run's
 * end, in the same workflow, if an agent consumes it. Principals that may see the run may see it.
 * Not reported is work that was triggered by a `RunFailed`, `JoinExpired` or `GroupRefused`, and an agent's failure that
 * follows from a report of the same agent.
 *
 * @example
 * flock.agent("alert").consumes(RunFailed).run(({ RunFailed: { agent, error } }) => notify(`${agent}: ${error.message}`));
 */
export const RunFailed = artifact(
  "RunFailed",
  z.object({
    /** The agent's name. */
    agent: z.string(),
    /** The last attempt. */
    run_id: z.string(),
    /** Id of the dead letter, the same for all attempts. */
    activation_id: z.string(),
    status: z.enum(["error", "timeout"]),
    /** The error of the last attempt, as far as every viewer of the run may see it. */
    error: z.object({ name: z.string(), message: z.string() }),
    /** How many attempts there were. */
    attempts: z.int().min(1),
    /** Ids of the artifacts that triggered the agent, in order of arrival. */
    input_ids: z.array(z.string()),
  }),
);

/** The payload of a {@link RunFailed}. */
export type RunFailedPayload = PayloadOf<typeof RunFailed>;

/** Creates the draft for failed work. */
export function runFailedOf(
  { agent, id, attempt, artifacts }: Pick<Activation, "agent" | "id" | "attempt" | "artifacts">,
  runId: string,
  status: RunFailedPayload["status"],
  { name, message }: WireError,
): Draft {
  return RunFailed({
    agent: agent.name,
    run_id: runId,
    activation_id: id,
    status,
    error: { name, message },
    attempts: attempt,
    input_ids: artifacts.map((one) => one.id),
  });
}
