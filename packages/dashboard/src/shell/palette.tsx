import { Command, useCommandState } from "cmdk";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { paletteCommands } from "../commands/palette-commands.ts";
import { openFile, saveAll } from "../recordings/files.ts";
import { BASE } from "../router/base.ts";
import { currentRoute, go, pathOf } from "../router/route.ts";
import { rangeSelection, session, timeTravel, useSession } from "../session/tab-session.ts";
import { parsePosition } from "../timeline/parse-position.ts";
import { preview } from "../timeline/preview.ts";
import { Dialog } from "../ui/dialog.tsx";
import { short } from "../ui/format.ts";
import { SCREEN_ENTRIES } from "./screens.ts";
import { toggleTheme } from "./theme.tsx";

/** The largest number of runs and artifacts offered. */
const OFFERED = 8;

/** The command palette: finds screens, data and commands by name. */
export default function Palette({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const file = useSession(({ file }) => file);
  const chooser = useRef<HTMLInputElement>(null);
  const found = useFound(text);
  const item = (key: string, run: () => void, children: ReactNode) => (
    <Command.Item
      key={key}
      value={key}
      onSelect={() => {
        close();
        run();
      }}
      className="flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 text-sm data-[selected=true]:bg-accent-soft data-[selected=true]:text-accent"
    >
      {children}
    </Command.Item>
  );
  const where = parsePosition(text, session.timeline.log());
  return (
    <Dialog label="Command palette" close={close} className="mt-[12vh] mb-auto w-[min(38rem,92vw)]">
      <Command label="Command palette" loop filter={contains}>
        <Command.Input
          autoFocus
          value={text}
          onValueChange={setText}
          placeholder="Screen, agent, run, artifact, seq, or time"
          className="w-full border-b border-line bg-transparent px-4 py-3 outline-none placeholder:text-soft"
        />
        <Command.List className="max-h-[55vh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-soft">
          {!where && <Nothing />}
          {where && (
            <Command.Group heading="Time" forceMount>
              {item(
                `${text} travel`,
                () => void timeTravel.travelToPosition(where),
                "seq" in where
                  ? `Show the state at seq ${where.seq.toLocaleString("en")}`
                  : `Show the state at ${new Date(where.moment).toLocaleString()}`,
              )}
            </Command.Group>
          )}
          <Command.Group heading="Screens">
            {SCREEN_ENTRIES.map(({ screen, name, icon: Icon, about, key }) =>
              item(
                `${name} ${about}`,
                () => go(pathOf(screen)),
                <>
                  <Icon size={16} aria-hidden="true" className="shrink-0" />
                  <span className="whitespace-nowrap">{name}</span>
                  <span className="truncate text-soft">{about}</span>
                  <kbd className="ml-auto font-mono text-xs whitespace-nowrap text-soft max-sm:hidden">g {key}</kbd>
                </>,
              ),
            )}
          </Command.Group>
          {found.agents.length > 0 && (
            <Command.Group heading="Agents">
              {found.agents.map((agent) =>
                item(`agent ${agent}`, () => go(pathOf("agents", agent)), <span className="truncate">{agent}</span>),
              )}
            </Command.Group>
          )}
          {found.runs.length > 0 && (
            <Command.Group heading="Runs">
              {found.runs.map((run) =>
                item(
                  `run ${run.agent_id} ${run.run_id}`,
                  () => go(pathOf("runs", run.run_id)),
                  <>
                    <span className="truncate">{run.agent_id}</span> <span className="text-soft">{run.status}</span>
                    <span className="ml-auto font-mono text-xs text-soft">{short(run.run_id)}</span>
                  </>,
                ),
              )}
            </Command.Group>
          )}
          {found.artifacts.length > 0 && (
            <Command.Group heading="Artifacts">
              {found.artifacts.map((artifact) =>
                item(
                  `artifact ${artifact.artifact_type} ${artifact.artifact_id} ${preview(artifact.payload)}`,
                  () => go(pathOf("blackboard", artifact.artifact_id)),
                  <>
                    {artifact.artifact_type} <span className="truncate text-soft">{preview(artifact.payload)}</span>
                  </>,
                ),
              )}
            </Command.Group>
          )}
          <Command.Group heading="Actions">
            {found.commands.map(({ name, run }) => item(name, run, name))}
            {item("Go live, now", () => timeTravel.goLive(), "Go live")}
            {item("Switch between light and dark theme, colors", toggleTheme, "Switch between light and dark")}
            {file !== null &&
              item("Close the event file, back to the server", () => location.assign(BASE), "Close event file")}
            {item("Save the events as a file, export ndjson", () => void saveAll(), "Save events as a file")}
            {item("Save a range as a file, export ndjson", () => rangeSelection.choose(), "Save a range as a file")}
            <Command.Item
              value="Open an event file, import ndjson"
              onSelect={() => chooser.current?.click()}
              className="flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 text-sm data-[selected=true]:bg-accent-soft data-[selected=true]:text-accent"
            >
              Open an event file
            </Command.Item>
          </Command.Group>
        </Command.List>
      </Command>
      <input
        ref={chooser}
        type="file"
        aria-label="Event file"
        accept=".ndjson,.jsonl,.json,text/plain"
        className="sr-only"
        tabIndex={-1}
        onChange={({ target }) => {
          const chosen = target.files?.[0];
          close();
          if (chosen) void openFile(chosen);
        }}
      />
    </Dialog>
  );
}

/** Matches every word. Matching single letters would find unrelated items. */
function contains(value: string, search: string): number {
  const text = value.toLowerCase();
  const words = search.toLowerCase().split(/\s+/);
  return words.every((word) => text.includes(word)) ? 1 : 0;
}

/** An option, because a listbox needs at least one. */
function Nothing() {
  const isEmpty = useCommandState(({ filtered }) => filtered.count === 0);
  if (!isEmpty) return null;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: it has no action
    <div role="option" aria-disabled="true" aria-selected="false" className="px-3 py-6 text-center text-sm text-soft">
      No results. You can search for ids, agents, artifact types and screens.
    </div>
  );
}

/** Passes only matching items to the list, newest first, because there may be a hundred thousand. */
function useFound(text: string) {
  const state = useSession(({ state }) => state);
  return useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const fits = (...words: readonly string[]) => words.some((word) => word.toLowerCase().includes(wanted));
    const commands = paletteCommands(state, currentRoute(), wanted).slice(0, OFFERED * 2);
    if (wanted === "") {
      return { agents: [...state.agents.keys()].slice(0, OFFERED), runs: [], artifacts: [], commands };
    }
    const newest = <V,>(all: Iterable<V>, isWanted: (value: V) => boolean) =>
      [...all].filter(isWanted).slice(-OFFERED).reverse();
    return {
      commands,
      agents: [...state.agents.keys()].filter((agent) => fits(agent)).slice(0, OFFERED),
      runs: newest(state.runs.values(), (run) => fits(run.run_id, run.agent_id, run.correlation_id)),
      artifacts: newest(state.artifacts.values(), (artifact) =>
        fits(artifact.artifact_id, artifact.artifact_type, preview(artifact.payload)),
      ),
    };
  }, [text, state]);
}
