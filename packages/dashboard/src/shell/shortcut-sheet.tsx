import { Dialog } from "../parts/dialog.tsx";
import { allowSingleKeys, useShortcutList } from "./shortcuts.ts";

/** What keys do, here and now. */
export default function ShortcutSheet({ close }: { close: () => void }) {
  const { shortcuts, singleKeys } = useShortcutList();
  return (
    <Dialog label="Keyboard shortcuts" close={close} className="w-[min(44rem,92vw)]">
      <div className="flex flex-col gap-5 p-6">
        <h2 className="text-lg font-semibold">Keyboard shortcuts</h2>
        <div className="grid gap-x-10 gap-y-5 sm:grid-cols-2">
          {[...Map.groupBy(shortcuts, ({ group }) => group)].map(([group, list]) => (
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
        <label className="flex items-center gap-2 text-sm">
          <input type="checkbox" checked={singleKeys} onChange={(change) => allowSingleKeys(change.target.checked)} />
          Single letters are shortcuts
        </label>
        <button type="button" onClick={close} className="w-fit rounded-lg border border-line px-3 py-1.5 text-sm">
          Close
        </button>
      </div>
    </Dialog>
  );
}
