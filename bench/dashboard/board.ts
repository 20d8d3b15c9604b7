import { setTimeout as pause } from "node:timers/promises";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { answer } from "../child.ts";
import { now } from "../event.ts";
import type { Board, BoardCalls } from "./calls.ts";

// A newsroom of 200 agents with the dashboard: 20 desks with one planner, eight writers and one editor each.
const DESKS = 20;
const WRITERS = 8;
/** Chunks of a run's output, and the delay between them in ms, under load. */
const PIECES = 4;
const PIECE_MS = 30;
/** One in this many runs fails. */
const FAILS = 97;
/** Tasks between two checks of the number of events. */
const CHUNK = 20;
/** Interval between two publishes of the load, in ms. */
const TICK_MS = 10;

const flock = new Flock();
let isFlooded = false;
let runs = 0;
let tasks = 0;

const Task = artifact("Task", z.object({ desk: z.int(), task: z.int() }));
for (let desk = 0; desk < DESKS; desk++) {
  const Plan = artifact(`Plan${desk}`, z.object({ task: z.int(), outline: z.string() }));
  const Draft = artifact(`Draft${desk}`, z.object({ task: z.int(), writer: z.int(), text: z.string() }));
  const Piece = artifact(`Piece${desk}`, z.object({ words: z.int(), text: z.string() }));
  flock
    .agent(`planner-${desk}`)
    .description("Says what the desk writes about")
    .consumes(Task, { where: ({ payload }) => payload.desk === desk })
    .publishes(Plan)
    .concurrency(8)
    .run(async ({ Task: { task } }, { stream }) => Plan({ task, outline: await written(task, stream) }));
  for (let writer = 0; writer < WRITERS; writer++) {
    flock
      .agent(`writer-${desk}-${writer}`)
      .description("Writes what was planned, in its own words")
      .consumes(Plan)
      .publishes(Draft)
      .concurrency(8)
      .run(async (inputs, { stream }) => {
        const { task } = inputs[Plan.typeName] as { task: number };
        const text = await written(task + writer, stream);
        if (++runs % FAILS === 0) throw new RangeError(`no idea for task ${task}`);
        return Draft({ task, writer, text });
      });
  }
  flock
    .agent(`editor-${desk}`)
    .description("Puts together what the desk has written")
    .consumes(Draft, { batch: { size: WRITERS } })
    .publishes(Piece)
    .concurrency(8)
    .run(async (inputs, { stream }) => {
      const drafts = inputs[Draft.typeName] as unknown as readonly { text: string }[];
      return Piece({ words: drafts.length, text: await written(drafts.length, stream) });
    });
}
const server = await flock.serve({ dashboard: true, port: 0 });

/** Streams text in chunks, with delays under load. */
async function written(about: number, stream: (text: string) => void): Promise<string> {
  let text = "";
  for (let piece = 0; piece < PIECES; piece++) {
    const words = `Of ${about} there is to say, in part ${piece + 1}, what no other draft says in part ${piece}. `;
    stream(words);
    text += words;
    if (isFlooded) await pause(PIECE_MS);
  }
  return text;
}

function publish(): void {
  const task = tasks++;
  void flock.publish(Task({ desk: task % DESKS, task }));
}

function look(): Board {
  const { head, runs } = flock.stats();
  // Each successful run publishes one artifact.
  return { head, artifacts: tasks + runs.success, at: now() };
}

let timer: ReturnType<typeof setInterval> | undefined;

answer<BoardCalls>({
  url: () => server.url,
  look,
  fill: async (events, wanted) => {
    const isThere = () => look().head >= events && look().artifacts >= wanted;
    while (!isThere()) {
      for (let count = 0; count < CHUNK; count++) publish();
      await flock.runUntilIdle();
    }
    return look();
  },
  flood: (perSecond) => {
    clearInterval(timer);
    isFlooded = perSecond > 0;
    if (!isFlooded) return;
    // Estimate the events per task from the tasks so far.
    const perTask = tasks === 0 ? 1 : look().head / tasks;
    const began = performance.now();
    let published = 0;
    timer = setInterval(() => {
      const owed = (((performance.now() - began) / 1_000) * perSecond) / perTask;
      while (published < owed) {
        publish();
        published++;
      }
    }, TICK_MS);
  },
});
