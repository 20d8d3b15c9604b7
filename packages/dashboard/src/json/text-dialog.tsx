import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { CopyButton } from "../ui/copy-button.tsx";
import { quietButton } from "../ui/quiet-button.ts";

/** Shows a long text in full, where the browser's search, selection and scrolling work. */
export function TextDialog({ path, text, onClose }: TextDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-label={`Text at ${path}`}
      onClose={onClose}
      className="m-auto h-[85vh] w-[min(60rem,94vw)] flex-col overflow-hidden rounded-xl border border-line bg-card text-ink shadow-2xl backdrop:bg-black/50 open:flex"
    >
      <header className="flex items-center gap-2 border-b border-line px-4 py-2">
        <h2 className="min-w-0 flex-1 truncate font-mono text-sm">{path}</h2>
        <span className="text-xs whitespace-nowrap text-soft tabular-nums">
          {text.length.toLocaleString("en")} characters
        </span>
        <CopyButton text={() => text} label="Copy text">
          Copy
        </CopyButton>
        <button type="button" aria-label="Close" className={quietButton} onClick={() => dialog.current?.close()}>
          <X size={14} aria-hidden="true" />
        </button>
      </header>
      <textarea
        readOnly
        aria-label="Text"
        value={text}
        className="min-h-0 flex-1 resize-none bg-card p-4 font-mono text-[0.8125rem] leading-6 outline-none"
      />
    </dialog>
  );
}

interface TextDialogProps {
  /** Its path in the payload. */
  readonly path: string;
  readonly text: string;
  readonly onClose: () => void;
}
