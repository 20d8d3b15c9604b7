import { Keyboard, Search } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { ConfirmationDialog } from "../commands/confirmation-dialog.tsx";
import { fromBase } from "../router/base.ts";
import { Link } from "../router/link.tsx";
import { go, pathOf, useRoute } from "../router/route.ts";
import { rangeSelection, timeTravel, usePlaying, useRange } from "../session/tab-session.ts";
import { Skeleton } from "../ui/skeleton.tsx";
import { ConnectionStatus } from "./connection-status.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Navigation } from "./navigation.tsx";
import { Notices } from "./notices.tsx";
import { entryOf, SCREEN_ENTRIES } from "./screens.ts";
import { type Shortcut, useShortcuts } from "./shortcuts.ts";
import { ThemeToggle } from "./theme.tsx";
import { lookForError } from "./time-bar/look-for-error.ts";
import { askWhereTo } from "./time-bar/moment-field.tsx";
import { TimelineBar } from "./time-bar/time-bar.tsx";

const Palette = lazy(() => import("./palette.tsx"));
const RangePanel = lazy(() => import("./time-bar/range-panel.tsx"));
const ShortcutSheet = lazy(() => import("./shortcut-sheet.tsx"));

/** The parts of every screen: the navigation, the connection status, and the timeline. */
export function App() {
  const { screen } = useRoute();
  const { name, View } = entryOf(screen);
  const [open, setOpen] = useState<"palette" | "shortcuts" | null>(null);
  // The close event of a dialog arrives later, when another dialog may be open.
  const close = (which: typeof open) => () => setOpen((now) => (now === which ? null : now));
  useShortcuts(useMemo(() => globalShortcuts(setOpen), []));
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[auto_auto_minmax(0,1fr)_auto] md:grid-cols-[auto_minmax(0,1fr)] md:grid-rows-[auto_minmax(0,1fr)_auto]">
      <a
        href="#content"
        className="absolute z-20 m-2 -translate-y-20 rounded-lg bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <header className="flex min-h-13 items-center gap-2 border-b border-line bg-card px-3 md:col-span-2 md:gap-4 md:px-4">
        <Link href={pathOf("agents")} className="flex shrink-0 items-center gap-2 font-semibold tracking-tight md:w-40">
          <img src={fromBase("/icon.svg")} alt="" width={24} height={24} />
          <span className="max-md:sr-only">Flock</span>
        </Link>
        <div className="min-w-0 flex-1">
          <ConnectionStatus screen={name} />
        </div>
        <button
          type="button"
          onClick={() => setOpen("palette")}
          className="flex h-8 items-center gap-2 rounded-lg border border-line bg-sunken px-2 text-sm text-soft hover:text-ink lg:w-64"
        >
          <Search size={15} aria-hidden="true" />
          <span className="max-lg:sr-only">Search or jump to…</span>
          <kbd className="ml-auto hidden font-mono text-xs lg:inline">Ctrl K</kbd>
        </button>
        <button
          type="button"
          aria-label="Keyboard shortcuts"
          onClick={() => setOpen("shortcuts")}
          className="hidden size-8 place-items-center rounded-lg border border-line text-soft hover:text-ink md:grid"
        >
          <Keyboard size={16} aria-hidden="true" />
        </button>
        <ThemeToggle />
      </header>
      <Navigation />
      <main id="content" tabIndex={-1} className="relative min-h-0 min-w-0 overflow-hidden outline-none">
        <ErrorBoundary key={screen}>
          <Suspense fallback={<Skeleton />}>
            <View />
          </Suspense>
        </ErrorBoundary>
      </main>
      <TimelineBar />
      <Suspense>
        <Range />
      </Suspense>
      <Notices />
      <ConfirmationDialog />
      <Suspense>
        {open === "palette" && <Palette close={close("palette")} />}
        {open === "shortcuts" && <ShortcutSheet close={close("shortcuts")} />}
      </Suspense>
    </div>
  );
}

/** Focuses the first search field of the screen, if any. */
function toSearch(): void {
  document.querySelector<HTMLElement>("#content input[type=search]")?.focus();
}

/** Loaded on demand. */
function Range() {
  const isWanted = useRange(({ range }) => range !== null);
  return isWanted && <RangePanel />;
}

/** The shortcuts of all screens. */
function globalShortcuts(open: (what: "palette" | "shortcuts") => void): readonly Shortcut[] {
  const travel = (keys: string, does: string, run: () => void): Shortcut => ({ keys, does, group: "Time", run });
  return [
    { keys: "mod+k", does: "Command palette", group: "Everywhere", run: () => open("palette") },
    { keys: "/", does: "Search on this screen", group: "Everywhere", run: toSearch },
    { keys: "?", does: "Show keyboard shortcuts", group: "Everywhere", run: () => open("shortcuts") },
    ...SCREEN_ENTRIES.map(({ screen, name, key }) => ({
      keys: `g ${key}`,
      does: `Go to ${name}`,
      group: "Go to",
      run: () => go(pathOf(screen)),
    })),
    travel("l", "Go live", () => timeTravel.goLive()),
    travel("k", "Play or pause", () =>
      usePlaying.getState().speed === null ? timeTravel.play(1) : timeTravel.pause(),
    ),
    travel(",", "Previous event", () => timeTravel.step(-1)),
    travel(".", "Next event", () => timeTravel.step(1)),
    travel("]", "Next error", () => lookForError(1)),
    travel("[", "Previous error", () => lookForError(-1)),
    travel(">", "Play faster", () => timeTravel.changeSpeed(1)),
    travel("<", "Play slower", () => timeTravel.changeSpeed(-1)),
    travel("t", "Go to a seq or time", askWhereTo),
    travel("x", "Save a range as a file", () => rangeSelection.choose()),
  ];
}
