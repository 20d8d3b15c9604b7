import type {
  CancelResult,
  DeadLetterDiscarded,
  DeadLetterPage,
  DeadLetterRecord,
  DeadLetterRetried,
  FlockEvent,
  InvokeRequest,
  InvokeResult,
  PauseResult,
  RunState,
} from "@flock-ts/protocol";
import { Refusal, sendJson } from "../connection/rest.ts";
import { lettersUrl, readLetters } from "../queries/dead-letters.ts";
import { orphansUrl, refetchOrphans } from "../queries/orphans.ts";
import { session, useSession } from "../session/tab-session.ts";
import { short } from "../ui/format.ts";
import type { Answer } from "./actions.ts";
import { confirmed } from "./confirmation.ts";
import { actions } from "./tab-actions.ts";
import { workOf } from "./waiting-for-retry.ts";

// Actions on one target run at once. Actions on several targets, and irreversible ones, ask for confirmation first.

/** Timeout for an answer, in ms. */
const ANSWER_MS = 30_000;
/** Dead letters of one page; the server's limit. */
const PAGE = 500;
/** The number of distinct errors that a batch reports. */
const REASONS = 3;

/** Pauses an agent: it starts no new runs. */
export function pauseAgent(agent: string): void {
  void actions.act({
    key: `pause ${agent}`,
    name: `Pause ${agent}`,
    ask: () => pauseOrResume("pause", agent),
    shows: isAbout("agent_paused", agent),
  });
}

/** Resumes an agent. */
export function resumeAgent(agent: string): void {
  void actions.act({
    key: `resume ${agent}`,
    name: `Resume ${agent}`,
    ask: () => pauseOrResume("resume", agent),
    shows: isAbout("agent_resumed", agent),
  });
}

/** Pauses all agents. */
export async function pauseAll(): Promise<void> {
  const { agents, runs } = session.timeline.head;
  const paused = [...agents.values()].filter((agent) => agent.paused).length;
  const left = agents.size - paused;
  const running = [...runs.values()].filter(({ status }) => status === "running").length;
  const isWanted = await confirmed({
    title: `Pause ${agentsOf(left)}?`,
    lines: [
      `${agentsOf(left)} will not start new runs${paused > 0 ? `; ${paused} more ${paused === 1 ? "is" : "are"} already paused` : ""}.`,
      running === 0 ? "No runs are active." : `${runsOf(running)} in progress will finish normally.`,
      "New activations are queued. The pause survives restarts until you resume the agents.",
    ],
    verb: `Pause ${agentsOf(left)}`,
  });
  if (!isWanted) return;
  void actions.act({
    key: "pause all",
    name: "Pause all agents",
    ask: () => pauseOrResume("pause"),
    shows: ({ type }) => type === "agent_paused",
  });
}

/** Resumes all agents. */
export function resumeAll(): void {
  void actions.act({
    key: "resume all",
    name: "Resume all agents",
    ask: () => pauseOrResume("resume"),
    shows: ({ type }) => type === "agent_resumed",
  });
}

async function pauseOrResume(what: "pause" | "resume", agent?: string): Promise<Answer> {
  const { agents, seq } = await ask<PauseResult>(what, agent === undefined ? {} : { agent_id: agent });
  if (agents.length === 0) {
    const already = what === "pause" ? "paused" : "active";
    return { words: `${agent ?? "Every agent"} was already ${already}. Nothing changed.` };
  }
  const who = agents.length > 3 ? `${agents.length} agents` : agents.join(", ");
  const is = agents.length === 1 ? "is" : "are";
  return {
    words: what === "pause" ? `${who} ${is} paused.` : `${who} resumed.`,
    seq,
  };
}

/** Cancels a run or a scheduled retry. */
export function cancelRun({ run_id, activation_id, agent_id, status }: RunState): void {
  void actions.act({
    key: `cancel run ${activation_id ?? run_id}`,
    name: status === "running" ? `Cancel the run of ${agent_id}` : `Cancel the next attempt of ${agent_id}`,
    ask: async () => {
      const { cancelled, seq } = await ask<CancelResult>("cancel", { run_id });
      return cancelled > 0
        ? { words: `The run of ${agent_id} is cancelled.`, seq }
        : {
            words: `The run of ${agent_id} was not cancelled: it has already ended, or some of its inputs are hidden from you.`,
          };
    },
    shows: (event) =>
      event.type === "agent_execution_completed" &&
      (event.run_id === run_id || (event.activation_id !== undefined && event.activation_id === activation_id)),
  });
}

/** Cancels all running and waiting runs of a workflow. */
export async function cancelWorkflow(correlationId: string): Promise<void> {
  const { running, retrying } = workOf(session.timeline.head, correlationId);
  const count = running.length + retrying.length;
  const name = `workflow ${short(correlationId)}`;
  const isWanted = await confirmed({
    title: `Cancel ${name}?`,
    lines: [
      running.length === 0
        ? "It has no active runs."
        : `${running.length === 1 ? "1 active run" : `${running.length} active runs`} will be cancelled: ${namesOf(running)}.`,
      ...(retrying.length > 0 ? [`${runsOf(retrying.length)} will not be retried: ${namesOf(retrying)}.`] : []),
      "Its queued runs are cancelled too. Published artifacts stay on the blackboard.",
    ],
    verb: count === 0 ? "Cancel workflow" : `Cancel ${runsOf(count)}`,
  });
  if (!isWanted) return;
  void actions.act({
    key: `cancel workflow ${correlationId}`,
    name: `Cancel ${name}`,
    ask: async () => {
      const { cancelled, seq } = await ask<CancelResult>("cancel", { correlation_id: correlationId });
      return cancelled > 0
        ? { words: `${runsOf(cancelled)} of ${name} ${cancelled === 1 ? "is" : "are"} cancelled.`, seq }
        : { words: `No run of ${name} was cancelled: it has already ended, or it is hidden from you.` };
    },
    shows: (event) => event.type === "agent_execution_completed" && event.correlation_id === correlationId,
  });
}

/** Runs one agent with given inputs. Resolves to the answer; undefined when there is none. */
export async function invokeAgent(request: InvokeRequest): Promise<Answer | undefined> {
  return actions.act({
    key: `invoke ${request.agent_id}`,
    name: `Invoke ${request.agent_id}`,
    ask: async () => {
      const { run_id, seq } = await ask<InvokeResult>("invoke", request);
      return { words: `Run queued for ${request.agent_id}.`, seq: seq ?? 0, runId: run_id };
    },
    shows: ({ type }) => type === "artifact_published",
  });
}

/** Retries a dead letter. */
export function retryLetter(letter: Pick<DeadLetterRecord, "id" | "agent_id">): void {
  void actions.act({
    key: `letter ${letter.id}`,
    name: `Retry dead letter of ${letter.agent_id}`,
    ask: async () => {
      const { run_id, seq, attempt } = await askAboutLetter<DeadLetterRetried>(letter.id, "retry");
      return { words: `Retry queued for ${letter.agent_id}: attempt ${attempt}.`, seq, runId: run_id };
    },
    shows: isAboutLetter(letter.id),
  });
}

/** Discards a dead letter. */
export async function discardLetter({ id, agent_id, artifacts, attempts, error }: DeadLetterRecord): Promise<void> {
  const isWanted = await confirmed({
    title: `Discard this dead letter of ${agent_id}?`,
    lines: [
      `It failed after ${attempts === 1 ? "1 attempt" : `${attempts} attempts`}, most recently with ${error.name}. It will not be retried.`,
      `${artifacts.length === 1 ? "Its input stays" : `Its ${artifacts.length} inputs stay`} on the blackboard, and its runs stay in the log.`,
      "This cannot be undone.",
    ],
    verb: "Discard dead letter",
  });
  if (!isWanted) return;
  void actions.act({
    key: `letter ${id}`,
    name: `Discard dead letter of ${agent_id}`,
    ask: async () => {
      const { seq } = await askAboutLetter<DeadLetterDiscarded>(id, "discard");
      return { words: `The dead letter of ${agent_id} is discarded.`, seq };
    },
    shows: isAboutLetter(id),
  });
}

/** Drops the orphaned work of an agent. `counts`: what there is, in words. */
export async function dropOrphans(agent: string, counts: string): Promise<void> {
  const isWanted = await confirmed({
    title: `Drop the orphaned work of ${agent}?`,
    lines: [
      `${counts}: no agent takes this work up. To keep it, declare an agent with .renamedFrom(${JSON.stringify(agent)}).`,
      "Runs are cancelled. Artifacts leave their gates and stay on the blackboard.",
      "This cannot be undone.",
    ],
    verb: "Drop orphaned work",
  });
  if (!isWanted) return;
  void actions.act({
    key: `orphans of ${agent}`,
    name: `Drop orphaned work of ${agent}`,
    ask: async () => {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const { seq } = await sendJson<{ seq: number }>(`${orphansUrl()}/drop`, { agent_id: agent }, { signal });
      refetchOrphans();
      return { words: `The orphaned work of ${agent} is dropped.`, seq };
    },
    shows: (event) => event.type === "agent_execution_completed" && event.agent_id === agent,
  });
}

/** Retries or discards all dead letters, or those of one agent. */
export async function settleLetters(what: "retry" | "discard", agent: string | undefined): Promise<void> {
  const letters = await allLetters(agent).catch((error: Error) => {
    session.notify(`Failed to count the dead letters: ${error.message}`);
    return [];
  });
  const able = what === "retry" ? letters.filter(({ missing }) => missing === 0) : letters;
  if (able.length === 0) return;
  const whose = agent === undefined ? "all agents" : agent;
  const count = lettersOf(able.length);
  const agents = new Set(able.map(({ agent_id }) => agent_id)).size;
  const isWanted = await confirmed({
    title: what === "retry" ? `Retry ${count}?` : `Discard ${count}?`,
    lines:
      what === "retry"
        ? [
            `${count} of ${agent === undefined ? agentsOf(agents) : agent} will be queued again as new attempts, each with its full number of retries.`,
            ...(able.length < letters.length
              ? [`${letters.length - able.length} more cannot be retried: their inputs are no longer retained.`]
              : []),
            "They will fail again until the cause is fixed.",
          ]
        : [
            `${able.length === 1 ? "It" : "They"} will not be retried. The inputs stay on the blackboard, and the runs stay in the log.`,
            "This cannot be undone.",
          ],
    verb: what === "retry" ? `Retry ${count}` : `Discard ${count}`,
  });
  if (!isWanted) return;
  void actions.act({
    key: `letters of ${agent ?? "all"}`,
    name: what === "retry" ? `Retry the dead letters of ${whose}` : `Discard the dead letters of ${whose}`,
    ask: (progress) => eachLetter(what, able, progress),
    shows: ({ type }) => type === "dead_letter_closed",
  });
}

/** Processes dead letters one by one. Letters that arrive meanwhile or are rejected stay as they are. */
async function eachLetter(
  what: "retry" | "discard",
  letters: readonly DeadLetterRecord[],
  progress: (words: string) => void,
): Promise<Answer> {
  const refused = new Map<string, number>();
  let done = 0;
  let last: number | undefined;
  for (const [index, { id }] of letters.entries()) {
    progress(`${index} of ${letters.length}`);
    try {
      ({ seq: last } = await askAboutLetter<{ seq: number }>(id, what));
      done += 1;
    } catch (error) {
      // The connection is lost. The remaining requests would fail as well.
      if (!(error instanceof Refusal)) throw error;
      refused.set(error.message, (refused.get(error.message) ?? 0) + 1);
    }
  }
  const words = [`${lettersOf(done)} ${done === 1 ? "is" : "are"} ${what === "retry" ? "queued again" : "discarded"}.`];
  for (const [why, count] of [...refused].slice(0, REASONS)) words.push(`${count} refused: ${why}.`);
  return { words: words.join(" "), seq: last, isRefused: done === 0 };
}

/** Reads all current dead letters of one agent or of all agents. */
async function allLetters(agent: string | undefined): Promise<DeadLetterRecord[]> {
  const all: DeadLetterRecord[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: DeadLetterPage = await readLetters({ agent, cursor, limit: PAGE });
    all.push(...page.dead_letters);
    cursor = page.next_cursor;
  }
  return all;
}

function askAboutLetter<T>(id: string, what: "retry" | "discard"): Promise<T> {
  const url = `${lettersUrl()}/${encodeURIComponent(id)}`;
  const signal = AbortSignal.timeout(ANSWER_MS);
  return what === "retry"
    ? sendJson<T>(`${url}/retry`, undefined, { signal })
    : sendJson<T>(url, undefined, { method: "DELETE", signal });
}

function ask<T>(what: string, body: unknown): Promise<T> {
  const { config } = useSession.getState();
  return sendJson<T>(`${config?.control ?? ""}/${what}`, body, { signal: AbortSignal.timeout(ANSWER_MS) });
}

function isAbout(type: "agent_paused" | "agent_resumed", agent: string): (event: FlockEvent) => boolean {
  return (event) => event.type === type && event.agent_id === agent;
}

function isAboutLetter(id: string): (event: FlockEvent) => boolean {
  return (event) => event.type === "dead_letter_closed" && event.activation_id === id;
}

function namesOf(runs: readonly RunState[]): string {
  const counts = new Map<string, number>();
  for (const { agent_id } of runs) counts.set(agent_id, (counts.get(agent_id) ?? 0) + 1);
  return [...counts].map(([agent, count]) => (count > 1 ? `${agent} × ${count}` : agent)).join(", ");
}

function agentsOf(count: number): string {
  return count === 1 ? "1 agent" : `${count} agents`;
}

function runsOf(count: number): string {
  return count === 1 ? "1 run" : `${count} runs`;
}

function lettersOf(count: number): string {
  return count === 1 ? "1 dead letter" : `${count} dead letters`;
}
