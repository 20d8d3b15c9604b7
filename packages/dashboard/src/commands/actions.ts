import type { FlockEvent } from "@flock-ts/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import { Refusal } from "../connection/rest.ts";
import type { Session } from "../session/session.ts";
import type { SessionView } from "../session/store.ts";

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

/** What actions need of a session. */
export interface ActionsDeps {
  readonly session: Pick<Session, "call" | "timeline">;
  /** The read model of the session. */
  readonly view: Pick<StoreApi<SessionView>, "getState" | "subscribe">;
}

/** Runs what a viewer asks for, and follows each action until the event that shows its effect is in the tab. */
export class Actions {
  readonly #deps: ActionsDeps;
  readonly #effects = new Map<number, Wanted["shows"]>();
  #lastId = 0;
  /** What this tab has asked for, oldest first. */
  readonly store = createStore<{ readonly actions: readonly Action[] }>(() => ({ actions: [] }));

  constructor(deps: ActionsDeps) {
    this.#deps = deps;
    deps.view.subscribe((now, before) => {
      if (now.last !== before.last || now.connection.epoch !== before.connection.epoch) this.#settle(now.last);
    });
  }

  /**
   * Runs an action, unless the same one is pending. It counts as done only when its event is in the tab.
   *
   * @returns the server's answer; undefined when the action is pending already, was refused, or got no answer.
   */
  async act({ key, name, ask, shows }: Wanted): Promise<Answer | undefined> {
    if (this.#actions.some((action) => action.key === key && isPending(action))) return undefined;
    const id = ++this.#lastId;
    this.#effects.set(id, shows);
    const action: Action = {
      id,
      key,
      name,
      stage: "asked",
      words: "",
      seq: null,
      epoch: this.#epoch,
      runId: undefined,
      at: Date.now(),
      isNews: true,
    };
    this.store.setState(({ actions }) => ({ actions: [...actions.slice(-KEPT + 1), action] }));
    try {
      const answer = await ask((words) => this.#change(id, { words }));
      const { words, seq, runId, isRefused } = answer;
      // Where nothing has changed, there is no event to wait for.
      if (seq === undefined) this.#end(id, { stage: isRefused ? "refused" : "unchanged", words });
      else {
        this.#change(id, { stage: "told", words, seq, runId, epoch: this.#epoch });
        this.#settle(this.#last);
        setTimeout(() => void this.#askWhetherPast(id), UNSEEN_MS);
      }
      return answer;
    } catch (error) {
      if (error instanceof Refusal)
        this.#end(id, { stage: "refused", words: `${error.message}. ${whatToTry(error.code)}` });
      else this.#end(id, { stage: "unknown", words: wordsOfSilence(error as Error) });
      return undefined;
    }
  }

  /** Stops showing an action on every screen. */
  dismiss(id: number): void {
    this.#change(id, { isNews: false });
  }

  get #actions(): readonly Action[] {
    return this.store.getState().actions;
  }

  get #epoch(): string | null {
    return this.#deps.view.getState().connection.epoch;
  }

  get #last(): number {
    return this.#deps.view.getState().last;
  }

  #change(id: number, to: Partial<Action>): void {
    this.store.setState(({ actions }) => ({
      actions: actions.map((action) => (action.id === id ? { ...action, ...to } : action)),
    }));
  }

  #end(id: number, to: Partial<Action>): void {
    this.#effects.delete(id);
    this.#change(id, to);
    if (to.stage === "seen") setTimeout(() => this.dismiss(id), NEWS_MS);
  }

  /** Ends the actions whose effect is among the events up to a seq. */
  #settle(upTo: number): void {
    const epoch = this.#epoch;
    for (const { id, stage, seq, epoch: before } of this.#actions) {
      if (stage !== "told" || seq === null) continue;
      if (epoch !== before) {
        this.#end(id, {
          stage: "unknown",
          words: "The server has started a new log since. Check the current state.",
        });
      } else if (seq <= upTo) {
        this.#end(id, { stage: "seen", seq: this.#seqOfEffect(seq, this.#effects.get(id)) ?? seq });
      }
    }
  }

  /** Finds the event that shows an effect: it may be one of several that the answer's seq covers. */
  #seqOfEffect(seq: number, shows: Wanted["shows"] | undefined): number | undefined {
    const log = this.#deps.session.timeline.log(seq);
    for (let index = log.length - 1; index >= Math.max(0, log.length - 1_000); index--) {
      const event = log.at(index);
      if (event && shows?.(event)) return event.seq;
    }
    return undefined;
  }

  /** Asks the server for its head: the newest event that an answer covers may be hidden from this viewer. */
  async #askWhetherPast(id: number): Promise<void> {
    const isWaiting = () => this.#actions.some((action) => action.id === id && action.stage === "told");
    if (!isWaiting()) return;
    if (this.#deps.view.getState().connection.status === "live") {
      const pong = await this.#deps.session.call("ping", undefined as never).catch(() => undefined);
      // Everything that was sent before the answer has arrived, and is processed one frame later.
      if (pong && isWaiting()) setTimeout(() => this.#settle(Math.max(pong.seq, this.#last)), 250);
    }
    setTimeout(() => void this.#askWhetherPast(id), UNSEEN_MS);
  }
}

/** Whether the outcome of an action is not known yet. */
export function isPending({ stage }: Action): boolean {
  return stage === "asked" || stage === "told";
}

const WHAT_TO_TRY: Readonly<Record<string, string>> = {
  not_authenticated: "Sign in again, then retry.",
  not_allowed: "Ask the owner of this flock.",
  not_found: "Another user may have acted first. Check the current state.",
  unknown_agent: "Start the program that declares it, then retry.",
  invalid_payload: "Correct the marked fields, then send again.",
  invalid_request: "Change the request, then send again.",
  shutting_down: "Retry when the server is available.",
  too_many_requests: "Wait a moment, then retry.",
  internal: "Retry. If it fails again, see the server log.",
};

/** What somebody can do about a refusal. */
function whatToTry(code: string): string {
  return WHAT_TO_TRY[code] ?? "Nothing changed.";
}

/** Nobody has answered: it may have been done all the same. */
function wordsOfSilence({ name }: Error): string {
  const what =
    name === "TimeoutError" ? "The server did not answer in time" : "The connection broke before the server answered";
  return `${what}. The outcome is unknown. Check the state after reconnecting, before you retry.`;
}
