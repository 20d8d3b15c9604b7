import type { OpenQuestion, OpenQuestions } from "@flock-ts/protocol";
import { create } from "zustand";
import { type DashboardConfig, getJson } from "../connection/config.ts";
import { useLive } from "../session/store.ts";
import { onNews } from "./invalidation.ts";

/** What agents have asked people and nobody has answered, as the server tells it now: travelling in time changes nothing of it. */
export const useQuestions = create<{ readonly open: readonly OpenQuestion[] }>(() => ({ open: [] }));

/** Asks the server which questions are open. */
export async function readQuestions({ control }: Pick<DashboardConfig, "control">): Promise<void> {
  const answer = await getJson<OpenQuestions>(`${control}/questions`).catch(() => undefined);
  if (answer) useQuestions.setState({ open: answer.questions });
}

/** Keeps the open questions as they are on the server. */
export function followQuestions(): void {
  onNews(
    (event) =>
      event.type === "question_closed" ||
      (event.type === "artifact_published" && event.artifact_type === "PersonQuestion"),
    () => {
      const { config } = useLive.getState();
      if (config) void readQuestions(config);
    },
  );
}
