import type { FlockEvent } from "@flock-ts/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { Refusal } from "../connection/rest.ts";
import { createSessionStore } from "../session/store.ts";
import { Timeline } from "../timeline/timeline.ts";
import { type Action, Actions } from "./actions.ts";

const timeline = new Timeline();
const view = createSessionStore();
const actions = new Actions({ session: { timeline, call: async () => undefined as never }, view });

/** The newest action. */
function newest(): Action {
  return actions.store.getState().actions.at(-1) as Action;
}

let head = 0;

/** Delivers an event. */
function arrives(agent: string, type: "agent_paused" | "agent_resumed" = "agent_paused"): void {
  head += 1;
  timeline.append([{ type, agent_id: agent, seq: head, timestamp: "2026-03-14T09:00:00.000Z" } as FlockEvent]);
  view.setState({ last: head });
}

function inLog(epoch: string): void {
  view.setState(({ connection }) => ({ connection: { ...connection, epoch } }));
}

let count = 0;
/** Runs a pause of the chef with the given answer. */
function pause(answer: () => Promise<{ words: string; seq?: number }>) {
  const key = `pause ${++count}`;
  const shows = (event: FlockEvent) => event.type === "agent_paused" && event.agent_id === "chef";
  return actions.act({ key, name: "Pause chef", ask: answer, shows });
}

beforeEach(() => inLog("one"));

describe("an action is done only when its event has arrived", () => {
  it("links to the event that shows the effect, not to a later one that the answer covers", async () => {
    await pause(async () => ({ words: "chef is paused.", seq: head + 3 }));
    expect(newest()).toMatchObject({ stage: "answered", seq: head + 3 });
    arrives("sommelier");
    arrives("chef");
    const shown = head;
    expect(newest().stage).toBe("answered");
    arrives("waiter");
    expect(newest()).toMatchObject({ stage: "seen", seq: shown, words: "chef is paused." });
  });

  it("also when the event arrived before the answer", async () => {
    arrives("chef");
    await pause(async () => ({ words: "chef is paused.", seq: head }));
    expect(newest()).toMatchObject({ stage: "seen", seq: head });
  });

  it("an answer without a change waits for no event and is not a rejection", async () => {
    await pause(async () => ({ words: "chef was already paused. Nothing changed." }));
    expect(newest()).toMatchObject({ stage: "unchanged", seq: null });
    await pause(async () => ({ words: "1 refused: it has been discarded.", isRefused: true }));
    expect(newest()).toMatchObject({ stage: "refused", seq: null });
  });

  it("a new log on the server makes the outcome unknown", async () => {
    await pause(async () => ({ words: "chef is paused.", seq: head + 1 }));
    inLog("two");
    expect(newest()).toMatchObject({ stage: "unknown" });
    arrives("chef");
    expect(newest().stage).toBe("unknown");
  });

  it("an error shows the server's message and what to do, a missing answer an unknown outcome", async () => {
    await pause(() =>
      Promise.reject(new Refusal("/pause", 403, { code: "not_allowed", message: "it is for the owner" })),
    );
    expect(newest()).toMatchObject({
      stage: "refused",
      words: "it is for the owner. Ask the owner of this flock.",
    });
    await pause(() => Promise.reject(new TypeError("Failed to fetch")));
    expect(newest().stage).toBe("unknown");
    expect(newest().words).toContain("The outcome is unknown");
  });

  it("a pending action is not sent again", async () => {
    const { promise, resolve } = Promise.withResolvers<{ words: string }>();
    let asked = 0;
    const wanted = {
      key: "resume chef",
      name: "Resume chef",
      ask: () => {
        asked += 1;
        return promise;
      },
      shows: () => false,
    };
    const first = actions.act(wanted);
    expect(await actions.act(wanted)).toBeUndefined();
    resolve({ words: "chef was already active. Nothing changed." });
    await first;
    await actions.act(wanted);
    expect(asked).toBe(2);
  });
});
