import { Activity, Boxes, List, Network, Send, X } from "lucide-react";
import { lazy, Suspense } from "react";
import { Link } from "./link.tsx";
import { useLive } from "./live.ts";
import { pathOf, SCREENS, type Screen, useRoute } from "./routing.ts";
import { AgentsScreen } from "./screens/agents.tsx";
import { ArtifactsScreen } from "./screens/artifacts.tsx";
import { EventsScreen } from "./screens/events.tsx";
import { RunsScreen } from "./screens/runs.tsx";
import { ConnectionStatus } from "./status.tsx";
import { ThemeToggle } from "./theme.tsx";

// Forms are heavy, and not on every screen.
const PublishScreen = lazy(() => import("./screens/publish.tsx"));

const NAMES: Record<Screen, { name: string; icon: typeof Network }> = {
  agents: { name: "Agents", icon: Network },
  runs: { name: "Runs", icon: Activity },
  artifacts: { name: "Artifacts", icon: Boxes },
  events: { name: "Events", icon: List },
  publish: { name: "Publish", icon: Send },
};

export function App() {
  const { screen, id, filter } = useRoute();
  return (
    <div className="flex h-full flex-col">
      <a
        href="#content"
        className="absolute z-10 m-2 -translate-y-20 rounded-lg bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <header className="flex flex-wrap items-center gap-x-3 md:gap-x-6 gap-y-2 border-b border-line bg-card px-4 py-2.5">
        <Link href="/" className="flex items-center gap-2 font-semibold">
          <img src="/icon.svg" alt="" width={24} height={24} />
          <span className="max-md:sr-only">Flock</span>
        </Link>
        <nav
          aria-label="Screens"
          className="order-last -mx-1 flex w-full gap-1 overflow-x-auto md:order-none md:w-auto"
        >
          {SCREENS.map((each) => {
            const { name, icon: Icon } = NAMES[each];
            const isHere = each === screen;
            return (
              <Link
                key={each}
                href={pathOf(each)}
                aria-current={isHere ? "page" : undefined}
                className={`flex items-center gap-1.5 rounded-lg px-2 py-1.5 text-sm sm:px-2.5 ${
                  isHere ? "bg-sunken font-semibold text-accent" : "text-soft hover:text-ink"
                }`}
              >
                <Icon size={16} aria-hidden="true" className="hidden sm:block" />
                {name}
              </Link>
            );
          })}
        </nav>
        <div className="ml-auto flex items-center gap-3">
          <ConnectionStatus screen={NAMES[screen].name} />
          <ThemeToggle />
        </div>
      </header>
      <Notice />
      <main id="content" tabIndex={-1} className="min-h-0 flex-1 outline-none">
        <Suspense fallback={<p className="p-6 text-soft">Loading…</p>}>
          {screen === "agents" && <AgentsScreen />}
          {screen === "runs" && <RunsScreen id={id} filter={filter} />}
          {screen === "artifacts" && <ArtifactsScreen id={id} filter={filter} />}
          {screen === "events" && <EventsScreen />}
          {screen === "publish" && <PublishScreen id={id} />}
        </Suspense>
      </main>
    </div>
  );
}

function Notice() {
  const notice = useLive(({ notice }) => notice);
  if (!notice) return null;
  return (
    <div
      role="alert"
      className="fixed inset-x-4 bottom-4 z-10 mx-auto flex max-w-2xl items-center gap-3 rounded-xl border border-busy bg-card px-4 py-3 text-sm text-busy shadow-lg"
    >
      <span className="flex-1">{notice}</span>
      <button type="button" aria-label="Dismiss" onClick={() => useLive.setState({ notice: null })}>
        <X size={16} aria-hidden="true" />
      </button>
    </div>
  );
}
