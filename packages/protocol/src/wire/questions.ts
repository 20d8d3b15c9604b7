import { z } from "zod";

/** Validates an open human input request: a question of an agent to a person. */
export const questionSchema = z
  .object({
    id: z.string().describe("Id of its artifact, a `PersonQuestion`."),
    question: z.string(),
    details: z.unknown().optional().describe("Background for the person who answers, as any JSON."),
    answer_type: z.string().describe("The artifact type of the answer."),
    answer_schema: z.record(z.string(), z.unknown()).describe("JSON Schema of the answer's payload."),
    deadline: z.iso.datetime().optional().describe("When the question expires. Absent: it does not."),
    default: z.unknown().optional().describe("The payload used as the answer if the deadline passes."),
    asked_by: z.string().describe("The agent's name."),
    run_id: z.string().describe("The run that asked first. A later attempt at the same work has another id."),
    correlation_id: z.string(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "Question" });

/** Validates the response of `GET /api/plugin/questions`: open questions, oldest first. */
export const questionsSchema = z.object({ questions: z.array(questionSchema) }).meta({ id: "Questions" });

/** Validates the body of `POST /api/plugin/questions/{id}/answer`. */
export const answerRequestSchema = z
  .strictObject({
    payload: z.unknown().describe("The payload of an artifact of the question's `answer_type`."),
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("A repeated answer to the same question with the same key returns the result of the first."),
  })
  .meta({ id: "AnswerRequest" });

/** Validates how a question was closed. */
export const questionStatusSchema = z
  .enum(["answered", "expired", "withdrawn"])
  .describe("expired: the deadline passed. withdrawn: the run that asked ended, or asks something else.");

/** An open question. */
export type OpenQuestion = z.infer<typeof questionSchema>;
/** The open questions of a server. */
export type OpenQuestions = z.infer<typeof questionsSchema>;
/** An answer to a question. */
export type AnswerRequest = z.infer<typeof answerRequestSchema>;
/** How a question was closed. */
export type QuestionStatus = z.infer<typeof questionStatusSchema>;
