import { X } from "lucide-react";
import { Dialog } from "../ui/dialog.tsx";
import { allowSingleKeys, type Shortcut, useShortcutList } from "./shortcuts.ts";

/** Shortcuts of the focused element. */
const WITHIN: readonly Pick<Shortcut, "keys" | "does" | "group">[] = [
  { keys: "↑ ↓", does: "Next or previous row", group: "In lists, trees and the log" },
  { keys: "Home End", does: "First or last row", group: "In lists, trees and the log" },
  { keys: "Enter", does: "Open", group: "In lists, trees and the log" },
  { keys: "Escape", does: "Close", group: "In lists, trees and the log" },
  { keys: "← →", does: "Collapse or expand", group: "In payloads and comparisons" },
  { keys: "a … z", does: "Next name that starts with the letter", group: "In payloads and comparisons" },
  { keys: "/", does: "Find", group: "In payloads and comparisons" },
  { keys: "*", does: "Expand all", group: "In payloads and comparisons" },
];

/** Lists the current shortcuts. */
export default function ShortcutSheet({ close }: { close: () => void }) {
  const { shortcuts, singleKeys } = useShortcutList();
  return (
    <Dialog label="Keyboard shortcuts" close={close} className="w-[min(44rem,92vw)]">
      <div className="flex flex-col gap-5 p-6">
        {/* First, because the focus starts here and the list may be longer than the window. */}
        <header className="flex items-center justify-between gap-4">
          <h2 className="text-lg font-semibold">Keyboard shortcuts</h2>
          <button
            type="button"
            aria-label="Close"
            onClick={close}
            className="grid size-8 place-items-center rounded-lg text-soft hover:bg-sunken hover:text-ink"
          >
            <X size={16} aria-hidden="true" />
          </button>
        </header>
        <div className="grid gap-x-10 gap-y-5 sm:grid-cols-2">
          {[...Map.groupBy([...shortcuts, ...WITHIN], ({ group }) => group)].map(([group, list]) => (
            <section key={group} aria-label={group}>
              <h3 className="mb-1.5 text-xs font-medium text-soft">{group}</h3>
              <dl className="grid gap-1 text-sm">
                {list.map(({ keys, does }) => (
                  <div key={keys} className="flex justify-between gap-4">
                    <dt>{does}</dt>
                    <dd className="flex gap-1">
                      {keys.split(/ |\+/).map((key) => (
                        <kbd
                          key={key}
                          className="rounded-md border border-line bg-sunken px-1.5 font-mono text-xs leading-5"
                        >
                          {key === "mod" ? "Ctrl" : key}
                        </kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <label className="flex min-h-6 items-center gap-2 text-sm">
          <input type="checkbox" checked={singleKeys} onChange={(change) => allowSingleKeys(change.target.checked)} />
          Single-letter shortcuts
        </label>
      </div>
    </Dialog>
  );
}
