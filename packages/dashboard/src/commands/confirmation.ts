import { create } from "zustand";

/** A confirmation to show before an action runs. */
export interface Confirmation {
  readonly title: string;
  /** The exact consequences, one sentence each. */
  readonly lines: readonly string[];
  /** The label of the confirming button. */
  readonly verb: string;
}

/** The open confirmation, and the callback that receives the decision. */
export const useConfirmation = create<{
  readonly asked: (Confirmation & { readonly decide: (isWanted: boolean) => void }) | null;
}>(() => ({ asked: null }));

/** Asks for confirmation. Resolves to whether it was given. */
export function confirmed(confirmation: Confirmation): Promise<boolean> {
  // A second dialog would receive the first one's answer.
  useConfirmation.getState().asked?.decide(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const decide = (isWanted: boolean) => {
    useConfirmation.setState({ asked: null });
    resolve(isWanted);
  };
  useConfirmation.setState({ asked: { ...confirmation, decide } });
  return promise;
}
