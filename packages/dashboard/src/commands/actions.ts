import type { FlockEvent } from "@flock-ts/protocol";
import { create } from "zustand";
import { Refusal } from "../connection/rest.ts";
import { command } from "../session/connection.ts";
import { useSession } from "../session/store.ts";
import { knownTimeline } from "../session/view.ts";

/**
 * How far something has come that a viewer wants done. `asked`: the server has not answered. `told`: it has, and the event that
 * shows it is still to come. `seen`: that is here. `unchanged`: there was nothing to do. `refused`: the server has not done it.
 * `unknown`: nobody here can say.
 */
export type Stage = "asked" | "told" | "seen" | "unchanged" | "refused" | "unknown";

/** What was asked of the server, and what became of it. */
export interface Action {
  readonly id: number;
  /** What it does to what: the same thing is not asked for twice at a time. */
  readonly key: string;
  /** What it does, for people: `Pause chef`. */
  readonly name: string;
  readonly stage: Stage;
  /** What became of it, in a sentence; how far it has come while it is `asked`. */
  readonly words: string;
  /** From where on the effect is seen. */
  readonly seq: number | null;
  /** The log that `seq` belongs to. */
  readonly epoch: string | null;
  /** The run that it has led to. */
  readonly runId: string | undefined;
  /** When it was asked for, as `Date.now()` counts. */
  readonly at: number;
  /** Whether it is still shown on every screen. */
  readonly isNews: boolean;
}

/** What the server has answered, in words. */
export interface Answer {
  readonly words: string;
  /** Absent when nothing has changed. */
  readonly seq?: number | undefined;
  readonly runId?: string;
  /** Whether nothing has changed because the server would not do any of it. */
  readonly isRefused?: boolean;
}

/** Something to be done. */
export interface Wanted {
  readonly key: string;
  readonly name: string;
  /** Asks the server. `progress` is shown meanwhile. */
  readonly ask: (progress: (words: string) => void) => Promise<Answer>;
  /** The event that shows the effect: of those up to the answer's seq, the newest that this holds for is what is linked to. */
  readonly shows: (event: FlockEvent) => boolean;
}

/** How many are remembered. */
const KEPT = 30;
/** How long one that is done stays on every screen, in ms. The Control screen keeps it. */
const NEWS_MS = 20_000;
/** How long to wait for an event before the server is asked whether it is one that this viewer cannot see, in ms. */
const UNSEEN_MS = 1_500;

/** What this tab has asked for, oldest first. */
export const useActions = create<{ readonly actions: readonly Action[] }>(() => ({ actions: [] }));

let lastId = 0;
const effects = new Map<number, Wanted["shows"]>();

/** Whether the same is being done already. */
export function usePending(key: string): boolean {
  return useActions(({ actions }) => actions.some((action) => action.key === key && isPending(action)));
}

/** Whether its end is not known yet. */
export function isPending({ stage }: Action): boolean {
  return stage === "asked" || stage === "told";
}

/**
 * Has something done, and follows what becomes of it. Nothing is shown as done before its event is here. Resolves to how it
 * ended as far as the server's answer tells.
 */
export async function act({ key, name, ask, shows }: Wanted): Promise<Answer | undefined> {
  if (useActions.getState().actions.some((action) => action.key === key && isPending(action))) return undefined;
  const id = ++lastId;
  const { epoch } = useSession.getState().connection;
  effects.set(id, shows);
  useActions.setState(({ actions }) => ({
    actions: [
      ...actions.slice(-KEPT + 1),
      {
        id,
        key,
        name,
        stage: "asked",
        words: "",
        seq: null,
        epoch,
        runId: undefined,
        at: Date.now(),
        isNews: true,
      },
    ],
  }));
  try {
    const answer = await ask((words) => change(id, { words }));
    const { words, seq, runId, isRefused } = answer;
    // Where nothing has changed, no event is to be waited for.
    if (seq === undefined) end(id, { stage: isRefused ? "refused" : "unchanged", words });
    else {
      change(id, { stage: "told", words, seq, runId, epoch: useSession.getState().connection.epoch });
      settle();
      setTimeout(() => void askWhetherPast(id), UNSEEN_MS);
    }
    return answer;
  } catch (error) {
    if (error instanceof Refusal) end(id, { stage: "refused", words: `${error.message}. ${whatToTry(error.code)}` });
    else end(id, { stage: "unknown", words: wordsOfSilence(error as Error) });
    return undefined;
  }
}

/** Does not show an action on every screen any more. */
export function dismiss(id: number): void {
  change(id, { isNews: false });
}

function change(id: number, to: Partial<Action>): void {
  useActions.setState(({ actions }) => ({
    actions: actions.map((action) => (action.id === id ? { ...action, ...to } : action)),
  }));
}

function end(id: number, to: Partial<Action>): void {
  effects.delete(id);
  change(id, to);
  if (to.stage === "seen") setTimeout(() => dismiss(id), NEWS_MS);
}

/** Looks whether what was answered has become visible. */
function settle(upTo = useSession.getState().last): void {
  const { epoch } = useSession.getState().connection;
  for (const { id, stage, seq, epoch: before } of useActions.getState().actions) {
    if (stage !== "told" || seq === null) continue;
    if (epoch !== before) {
      end(id, { stage: "unknown", words: "The server has begun a new log since. Only what is shown now can tell." });
    } else if (seq <= upTo) {
      end(id, { stage: "seen", seq: seqOfEffect(seq, effects.get(id)) ?? seq });
    }
  }
}

/** The event that shows it may be one of several that the answer's seq covers. */
function seqOfEffect(seq: number, shows: Wanted["shows"] | undefined): number | undefined {
  const log = knownTimeline().log(seq);
  for (let index = log.length - 1; index >= Math.max(0, log.length - 1_000); index--) {
    const event = log.at(index);
    if (event && shows?.(event)) return event.seq;
  }
  return undefined;
}

/** The newest event that an answer covers may be one that this viewer cannot see: the server knows whether it has gone by. */
async function askWhetherPast(id: number): Promise<void> {
  const isWaiting = () => useActions.getState().actions.some((action) => action.id === id && action.stage === "told");
  if (!isWaiting()) return;
  const { connection } = useSession.getState();
  if (connection.status === "live") {
    const pong = await command("ping", undefined as never).catch(() => undefined);
    // The answer came after everything that was sent before it; one frame later that is taken in.
    if (pong && isWaiting()) setTimeout(() => settle(Math.max(pong.seq, useSession.getState().last)), 250);
  }
  setTimeout(() => void askWhetherPast(id), UNSEEN_MS);
}

useSession.subscribe((now, before) => {
  if (now.last !== before.last || now.connection.epoch !== before.connection.epoch) settle(now.last);
});

const WHAT_TO_TRY: Readonly<Record<string, string>> = {
  not_authenticated: "Sign in again, then try once more.",
  not_allowed: "Ask whoever owns this flock to do it.",
  not_found: "Somebody else may have been faster: look at what is shown now.",
  unknown_agent: "Start the program that declares it, then try again.",
  invalid_payload: "Change what is marked, and send it again.",
  invalid_request: "Change what was asked for, and send it again.",
  shutting_down: "Wait until the server is back, then try again.",
  too_many_requests: "Wait a moment, then try again.",
  internal: "Try again; if it is refused again, the server's log says why.",
};

/** What somebody can do about a refusal. */
function whatToTry(code: string): string {
  return WHAT_TO_TRY[code] ?? "Nothing has been changed.";
}

/** Nobody has answered: it may have been done all the same. */
function wordsOfSilence({ name }: Error): string {
  const what =
    name === "TimeoutError" ? "The server has not answered in time" : "The connection broke before the answer";
  return `${what}: it may have been done or not. Look at what is shown when the connection is back, before you try again.`;
}
