import { z } from "zod";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { artifact, type PayloadOf } from "../../blackboard/artifact-type.ts";

/**
 * What a run asks a person, as stored on the blackboard: published by `context.askPerson`. An agent that consumes it
 * can tell people that they are asked.
 */
export const PersonQuestion = artifact(
  "PersonQuestion",
  z.object({
    question: z.string(),
    /** What there is to know before answering. */
    details: z.unknown().optional(),
    /** The artifact type of the answer. */
    answer_type: z.string(),
    /** JSON Schema of the answer's payload. */
    answer_schema: z.record(z.string(), z.unknown()),
    /** Until when it can be answered, ISO 8601; absent: as long as it is open. */
    deadline: z.iso.datetime().optional(),
    /** The payload that counts as the answer when the deadline passes. */
    default: z.unknown().optional(),
    /** The agent's name. */
    asked_by: z.string(),
    run_id: z.string(),
    /** The same for every attempt at the work for which it is asked. */
    activation_id: z.string(),
    /** Which of the questions of that work it is. */
    key: z.string(),
  }),
);

/** The payload of a {@link PersonQuestion}. */
export type PersonQuestionPayload = PayloadOf<typeof PersonQuestion>;

/** A question as stored on the blackboard. */
export type StoredQuestion = StoredArtifact<"PersonQuestion", PersonQuestionPayload>;
