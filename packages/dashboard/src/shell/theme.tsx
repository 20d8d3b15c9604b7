import { Moon, Sun } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { create } from "zustand";

const KEY = "flock-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

type Theme = "light" | "dark";

/** The chosen theme; null to follow the system. */
const useChosen = create<{ readonly theme: Theme | null }>(() => ({
  theme: localStorage.getItem(KEY) as Theme | null,
}));

// Before the first paint, so that the other theme does not flash.
const remembered = useChosen.getState().theme;
if (remembered !== null) document.documentElement.dataset.theme = remembered;

function watchSystem(listener: () => void): () => void {
  system.addEventListener("change", listener);
  return () => system.removeEventListener("change", listener);
}

/** Toggles the theme. */
export function toggleTheme(): void {
  const now = useChosen.getState().theme ?? (system.matches ? "dark" : "light");
  const theme = now === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, theme);
  useChosen.setState({ theme });
}

/** Toggles between the light and the dark theme. The default is the system's. */
export function ThemeToggle() {
  const chosen = useChosen(({ theme }) => theme);
  const systemIsDark = useSyncExternalStore(watchSystem, () => system.matches);
  const isDark = chosen === null ? systemIsDark : chosen === "dark";
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  return (
    <button
      type="button"
      onClick={toggleTheme}
      aria-label={isDark ? "Use light theme" : "Use dark theme"}
      className="grid size-8 shrink-0 place-items-center rounded-lg border border-line text-soft hover:text-ink"
    >
      {isDark ? <Sun size={16} aria-hidden="true" /> : <Moon size={16} aria-hidden="true" />}
    </button>
  );
}
