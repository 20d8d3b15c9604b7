import type { OpenQuestion, OpenQuestions } from "@flock-ts/protocol";
import { create } from "zustand";
import type { DashboardConfig } from "../connection/config.ts";
import { getJson } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";
import { refetchOn } from "./invalidation.ts";

/** The open questions on the server, regardless of the seq shown. */
export const useQuestions = create<{ readonly open: readonly OpenQuestion[] }>(() => ({ open: [] }));

/** Reads the open questions from the server. */
export async function readQuestions({ control }: Pick<DashboardConfig, "control">): Promise<void> {
  const answer = await getJson<OpenQuestions>(`${control}/questions`).catch(() => undefined);
  if (answer) useQuestions.setState({ open: answer.questions });
}

/** Keeps the open questions up to date. */
export function followQuestions(): void {
  refetchOn(
    (event) =>
      event.type === "question_closed" ||
      (event.type === "artifact_published" && event.artifact_type === "PersonQuestion"),
    () => {
      const { config } = useSession.getState();
      if (config) void readQuestions(config);
    },
  );
}
