import { Dialog } from "../ui/dialog.tsx";
import { useConfirmation } from "./confirmation.ts";

/** The open confirmation, above everything else. Escape cancels it. */
export function ConfirmationDialog() {
  const asked = useConfirmation(({ asked }) => asked);
  if (!asked) return null;
  const { title, lines, verb, decide } = asked;
  return (
    <Dialog key={title} label={title} close={() => decide(false)} className="w-[30rem] max-w-[calc(100vw-2rem)]">
      <div className="flex flex-col gap-4 p-5">
        <h2 className="text-lg font-semibold">{title}</h2>
        <ul className="flex list-disc flex-col gap-1.5 pl-5 text-sm">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <div className="flex flex-wrap justify-end gap-2">
          <button
            type="button"
            // biome-ignore lint/a11y/noAutofocus: a dialog must focus an element, and this button is safe
            autoFocus
            onClick={() => decide(false)}
            className="rounded-lg border border-line px-3 py-1.5 text-sm hover:border-accent"
          >
            Go back
          </button>
          <button
            type="button"
            onClick={() => decide(true)}
            className="rounded-lg border border-bad bg-card px-3 py-1.5 text-sm font-medium text-bad hover:bg-sunken"
          >
            {verb}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
