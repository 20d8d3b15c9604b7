import type { AnyArtifactType, DraftOf } from "../blackboard/artifact-type.ts";
/** What a person is asked. */
export interface AskOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** In a sentence. */
  readonly question: string;
  /** What there is to know before answering, as any JSON: the text to approve, say. Default: nothing. */
  readonly details?: unknown;
  /** How long it can be answered, in ms. Default: as long as it takes. */
  readonly deadline?: number;
  /** What counts as the answer when the deadline passes; without it `askPerson` throws then. */
  readonly default?: DraftOf<T>;
  /**
   * Which question of its run this is, for a run that begins again: with a key the question that was asked under it
   * counts, whatever its words. Default: the first, the second and so on, as long as question and details are the same.
   */
  readonly key?: string;
}
