import type { FlockEvent } from "@flock-ts/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import { Refusal } from "../connection/rest.ts";
import type { Session } from "../session/session.ts";
import type { SessionView } from "../session/store.ts";

/**
 * The stage of an action.
 *
 * `sent`: sent, no answer yet. `answered`: answered, the event that shows the effect has not arrived. `seen`: that event
 * has arrived. `unchanged`: there was nothing to do. `refused`: the server rejected it. `unknown`: the outcome is not
 * known.
 */
export type Stage = "sent" | "answered" | "seen" | "unchanged" | "refused" | "unknown";

/** A request to the server and its outcome. */
export interface Action {
  readonly id: number;
  /** Identifies the operation and its target. Only one action with the same key runs at a time. */
  readonly key: string;
  /** A label such as `Pause chef`. */
  readonly name: string;
  readonly stage: Stage;
  /** The outcome as a sentence, or the progress while the stage is `sent`. */
  readonly words: string;
  /** The seq from which on the effect is visible. */
  readonly seq: number | null;
  /** The epoch of the log that `seq` belongs to. */
  readonly epoch: string | null;
  /** The run that the action started. */
  readonly runId: string | undefined;
  /** When the action was requested, as `Date.now()` counts. */
  readonly at: number;
  /** Whether the action is still shown on every screen. */
  readonly isNews: boolean;
}

/** The server's answer as a sentence. */
export interface Answer {
  readonly words: string;
  /** Absent when nothing changed. */
  readonly seq?: number | undefined;
  readonly runId?: string;
  /** Whether nothing changed because the server rejected everything. */
  readonly isRefused?: boolean;
}

/** An action to run. */
export interface Wanted {
  readonly key: string;
  readonly name: string;
  /** Sends the request. `progress` is shown until it resolves. */
  readonly ask: (progress: (words: string) => void) => Promise<Answer>;
  /** Matches events that show the effect. The newest match up to the answer's seq is linked. */
  readonly shows: (event: FlockEvent) => boolean;
}

/** The number of actions that are kept. */
const KEPT = 30;
/** How long a completed action stays on every screen, in ms. The Control screen keeps it. */
const NEWS_MS = 20_000;
/** How long to wait for an event, in ms, before asking the server whether it is hidden from this viewer. */
const UNSEEN_MS = 1_500;

/** The parts of a session that actions use. */
export interface ActionsDeps {
  readonly session: Pick<Session, "call" | "timeline">;
  /** The read model of the session. */
  readonly view: Pick<StoreApi<SessionView>, "getState" | "subscribe">;
}

/** Runs the viewer's actions, and follows each until the event that shows its effect is in the tab. */
export class Actions {
  readonly #deps: ActionsDeps;
  readonly #effects = new Map<number, Wanted["shows"]>();
  #lastId = 0;
  /** The actions of this tab, oldest first. */
  readonly store = createStore<{ readonly actions: readonly Action[] }>(() => ({ actions: [] }));

  constructor(deps: ActionsDeps) {
    this.#deps = deps;
    deps.view.subscribe((now, before) => {
      if (now.last !== before.last || now.connection.epoch !== before.connection.epoch) this.#settle(now.last);
    });
  }

  /**
   * Runs an action unless the same one is pending. It counts as done only when its event is in the tab.
   *
   * @returns the server's answer; undefined when the action is pending already, was rejected, or got no answer.
   */
  async act({ key, name, ask, shows }: Wanted): Promise<Answer | undefined> {
    if (this.#actions.some((action) => action.key === key && isPending(action))) return undefined;
    const id = ++this.#lastId;
    this.#effects.set(id, shows);
    const action: Action = {
      id,
      key,
      name,
      stage: "sent",
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
      // Without a change there is no event to wait for.
      if (seq === undefined) this.#end(id, { stage: isRefused ? "refused" : "unchanged", words });
      else {
        this.#change(id, { stage: "answered", words, seq, runId, epoch: this.#epoch });
        this.#settle(this.#last);
        setTimeout(() => void this.#askWhetherPast(id), UNSEEN_MS);
      }
      return answer;
    } catch (error) {
      if (error instanceof Refusal)
        this.#end(id, { stage: "refused", words: `${error.message.replace(/\.$/, "")}. ${whatToTry(error.code)}` });
      else this.#end(id, { stage: "unknown", words: unknownOutcome(error as Error) });
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

  /** Completes the actions whose effect is among the events up to a seq. */
  #settle(upTo: number): void {
    const epoch = this.#epoch;
    for (const { id, stage, seq, epoch: before } of this.#actions) {
      if (stage !== "answered" || seq === null) continue;
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

  /** Finds the event that shows an effect. The answer's seq may cover several events. */
  #seqOfEffect(seq: number, shows: Wanted["shows"] | undefined): number | undefined {
    const log = this.#deps.session.timeline.log(seq);
    for (let index = log.length - 1; index >= Math.max(0, log.length - 1_000); index--) {
      const event = log.at(index);
      if (event && shows?.(event)) return event.seq;
    }
    return undefined;
  }

  /** Reads the server's head. The newest event that an answer covers may be hidden from this viewer. */
  async #askWhetherPast(id: number): Promise<void> {
    const isWaiting = () => this.#actions.some((action) => action.id === id && action.stage === "answered");
    if (!isWaiting()) return;
    if (this.#deps.view.getState().connection.status === "live") {
      const pong = await this.#deps.session.call("ping", undefined as never).catch(() => undefined);
      // All events sent before the answer have arrived. They are processed one frame later.
      if (pong && isWaiting()) setTimeout(() => this.#settle(Math.max(pong.seq, this.#last)), 250);
    }
    setTimeout(() => void this.#askWhetherPast(id), UNSEEN_MS);
  }
}

/** Whether the outcome of an action is still pending. */
export function isPending({ stage }: Action): boolean {
  return stage === "sent" || stage === "answered";
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

/** Returns what the user can do about an error. */
function whatToTry(code: string): string {
  return WHAT_TO_TRY[code] ?? "Nothing changed.";
}

/** Describes a request without an answer. It may have been executed. */
function unknownOutcome({ name }: Error): string {
  const what =
    name === "TimeoutError" ? "The server did not answer in time" : "The connection broke before the server answered";
  return `${what}. The outcome is unknown. Check the state after reconnecting, before you retry.`;
}
