import { z } from "zod";

/** A question to a person that waits for its answer. */
export const questionSchema = z
  .object({
    id: z.string().describe("Of its artifact, a `PersonQuestion`."),
    question: z.string(),
    details: z.unknown().optional().describe("What there is to know before answering, as any JSON."),
    answer_type: z.string().describe("The artifact type of the answer."),
    answer_schema: z.record(z.string(), z.unknown()).describe("JSON Schema of the answer's payload."),
    deadline: z.iso.datetime().optional().describe("Until when it can be answered; absent: as long as it is open."),
    default: z.unknown().optional().describe("The payload that counts as the answer when the deadline passes."),
    asked_by: z.string().describe("The agent's name."),
    run_id: z.string().describe("The run that asked first; another attempt at the same work has another."),
    correlation_id: z.string(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "Question" });

/** `GET /api/plugin/questions`: what is open, oldest first. */
export const questionsSchema = z.object({ questions: z.array(questionSchema) }).meta({ id: "Questions" });

/** `POST /api/plugin/questions/{id}/answer`. */
export const answerRequestSchema = z
  .object({
    payload: z.unknown().describe("Of the question's `answer_type`."),
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("A second answer to the same question with the same key is answered with the first one's result."),
  })
  .meta({ id: "AnswerRequest" });

/** How a question was closed. */
export const questionStatusSchema = z
  .enum(["answered", "expired", "withdrawn"])
  .describe("expired: the deadline passed. withdrawn: the run that asked has ended, or asks something else now.");

export type OpenQuestion = z.infer<typeof questionSchema>;
export type OpenQuestions = z.infer<typeof questionsSchema>;
export type AnswerRequest = z.infer<typeof answerRequestSchema>;
export type QuestionStatus = z.infer<typeof questionStatusSchema>;
