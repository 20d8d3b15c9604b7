import { Moon, Sun } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";

const KEY = "flock-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

// Before the first paint: who has chosen must not see the other colours flash by.
const remembered = localStorage.getItem(KEY);
if (remembered !== null) document.documentElement.dataset.theme = remembered;

function watchSystem(listener: () => void): () => void {
  system.addEventListener("change", listener);
  return () => system.removeEventListener("change", listener);
}

/** Light or dark: as the system has it, until the viewer says otherwise. */
export function ThemeToggle() {
  const [chosen, choose] = useState(remembered);
  const systemIsDark = useSyncExternalStore(watchSystem, () => system.matches);
  const isDark = chosen === null ? systemIsDark : chosen === "dark";
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  const toggle = () => {
    const next = isDark ? "light" : "dark";
    localStorage.setItem(KEY, next);
    choose(next);
  };
  return (
    <button
      type="button"
      onClick={toggle}
      aria-label={isDark ? "Use light colours" : "Use dark colours"}
      className="rounded-lg border border-line p-2 text-soft hover:text-ink"
    >
      {isDark ? <Sun size={16} aria-hidden="true" /> : <Moon size={16} aria-hidden="true" />}
    </button>
  );
}
