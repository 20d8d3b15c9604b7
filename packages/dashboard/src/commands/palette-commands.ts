import type { FlockState } from "@flock-ts/protocol";
import type { Route } from "../router/route.ts";
import type { SessionView } from "../session/store.ts";
import { session, useSession } from "../session/tab-session.ts";
import { cancelRun, cancelWorkflow, pauseAgent, pauseAll, resumeAgent, resumeAll } from "./commands.ts";
import { whyNot, whyNotPause } from "./why-not.ts";

/** A command of the palette. */
export interface PaletteCommand {
  readonly name: string;
  readonly run: () => void;
}

/**
 * Returns the commands for the selected item, for all agents, and for agents whose name matches.
 *
 * @param typed in lower case; when empty, no agent matches.
 */
export function paletteCommands(state: FlockState, { screen, id }: Route, typed: string): PaletteCommand[] {
  const commands: PaletteCommand[] = [];
  const run = screen === "runs" && id !== undefined ? state.runs.get(id) : undefined;
  if (run?.status === "running") {
    commands.push({ name: `Cancel this run of ${run.agent_id}`, run: () => cancelRun(run) });
  }
  if (run) {
    commands.push({ name: "Cancel this workflow…", run: () => void cancelWorkflow(run.correlation_id) });
  }
  const pauses: PaletteCommand[] = [];
  for (const name of meant([...state.agents.keys()], typed)) {
    if (state.agents.get(name)?.paused) pauses.push({ name: `Resume ${name}`, run: () => resumeAgent(name) });
    else pauses.push({ name: `Pause ${name}`, run: () => pauseAgent(name) });
  }
  const all = [...state.agents.values()];
  if (all.some(({ paused }) => !paused)) pauses.push({ name: "Pause all agents…", run: () => void pauseAll() });
  if (all.some(({ paused }) => paused)) pauses.push({ name: "Resume all agents", run: resumeAll });
  return [...commands.map(unless(whyNot)), ...pauses.map(unless((live) => whyNot(live) ?? whyNotPause(live)))];
}

/** `pause chef` matches only the chef; `pause` matches any agent. */
function meant(agents: readonly string[], typed: string): readonly string[] {
  const words = typed.split(/\s+/).filter(Boolean);
  const [verb, ...names] = words;
  if (!verb) return [];
  if (names.length === 0 && ["pause", "resume"].some((each) => each.startsWith(verb))) return agents;
  return agents.filter((agent) => words.some((word) => agent.toLowerCase().includes(word)));
}

/** Shows why a command is unavailable instead of running it. */
function unless(against: (live: SessionView) => string | null): (command: PaletteCommand) => PaletteCommand {
  return ({ name, run }) => ({
    name,
    run: () => {
      const notice = against(useSession.getState());
      if (notice === null) run();
      else session.notify(notice);
    },
  });
}
