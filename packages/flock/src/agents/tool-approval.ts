import { z } from "zod";
import { artifact, type PayloadOf } from "../blackboard/artifact-type.ts";

/**
 * A person's answer to the question whether a model may call a tool that needs approval.
 *
 * @example
 * await flock.answer(question.id, ToolApproval({ approved: false, reason: "Not during business hours." }));
 */
export const ToolApproval = artifact(
  "ToolApproval",
  z.object({
    approved: z.boolean().describe("Whether the tool may be called."),
    reason: z.string().optional().describe("The model receives it after a refusal."),
    arguments: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("The arguments of the call. Default: those of the model."),
  }),
);

/** The payload of a {@link ToolApproval}. */
export type ToolApprovalPayload = PayloadOf<typeof ToolApproval>;
