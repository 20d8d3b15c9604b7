import type { OpenQuestion, OpenQuestions } from "@flock/protocol";
import { create } from "zustand";
import { type DashboardConfig, getJson } from "./config.ts";
import { knownTimeline, useLive } from "./store.ts";

/** What agents have asked people and nobody has answered, as the server tells it now: travelling in time changes nothing of it. */
export const useQuestions = create<{ readonly open: readonly OpenQuestion[] }>(() => ({ open: [] }));

/** How long after the last event that concerns questions the server is asked, in ms. */
const ASK_AFTER = 100;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks the server which questions are open. */
export async function readQuestions({ control }: Pick<DashboardConfig, "control">): Promise<void> {
  const answer = await getJson<OpenQuestions>(`${control}/questions`).catch(() => undefined);
  if (answer) useQuestions.setState({ open: answer.questions });
}

/** Keeps the open questions as they are on the server. */
export function followQuestions(): void {
  useLive.subscribe((now, before) => {
    const { config, complete, last } = now;
    if (!config || !complete) return;
    const isNew = !before.complete || before.config === null;
    if (!isNew && (last === before.last || !concernsQuestions(before.last))) return;
    clearTimeout(timer);
    timer = setTimeout(() => void readQuestions(config), ASK_AFTER);
  });
}

/** Whether something newer than a seq opens or closes a question. */
function concernsQuestions(after: number): boolean {
  const log = knownTimeline().log();
  for (let index = log.length - 1; index >= 0; index--) {
    const event = log.at(index);
    if (!event || event.seq <= after) return false;
    if (event.type === "question_closed") return true;
    if (event.type === "artifact_published" && event.artifact_type === "PersonQuestion") return true;
  }
  return false;
}
