import type { AnyArtifactType, DraftOf } from "../blackboard/artifact-type.ts";
/** Options of a question to a person. */
export interface AskOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** The question, in a sentence. */
  readonly question: string;
  /** Context for the answer as JSON, such as the text to approve. Default: nothing. */
  readonly details?: unknown;
  /** Time to answer, in ms. Default: no limit. */
  readonly deadline?: number;
  /** Draft that is used as the answer when the deadline passes. Without it, `askPerson` throws. Default: none. */
  readonly default?: DraftOf<T>;
  /**
   * Identifies the question when a run starts again: an earlier question with the same key is reused, even if its text
   * changed. Default: the question's index in the run, if question and details are the same.
   */
  readonly key?: string;
  /**
   * JSON Schema for the form that people see, for example with other defaults or fewer choices. The answer is checked
   * against the type alone. Default: the schema of the type.
   */
  readonly schema?: Readonly<Record<string, unknown>>;
}
