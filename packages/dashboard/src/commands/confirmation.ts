import { create } from "zustand";

/** What somebody is asked before it is done. */
export interface Confirmation {
  readonly title: string;
  /** What exactly will happen, a sentence each. */
  readonly lines: readonly string[];
  /** What the button says that has it done. */
  readonly verb: string;
}

/** What is being asked now, and what to call with the decision. */
export const useConfirmation = create<{
  readonly asked: (Confirmation & { readonly decide: (isWanted: boolean) => void }) | null;
}>(() => ({ asked: null }));

/** Asks first. Resolves to whether it shall be done. */
export function confirmed(confirmation: Confirmation): Promise<boolean> {
  // Two questions at a time would answer each other.
  useConfirmation.getState().asked?.decide(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const decide = (isWanted: boolean) => {
    useConfirmation.setState({ asked: null });
    resolve(isWanted);
  };
  useConfirmation.setState({ asked: { ...confirmation, decide } });
  return promise;
}
