import { type ReactNode, useEffect, useRef } from "react";

/** A modal dialog. The browser traps the focus, closes it with Escape, and restores the focus. */
export function Dialog({ label, close, children, className = "" }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same
    <dialog
      ref={dialog}
      aria-label={label}
      onClose={close}
      onClick={(click) => click.target === dialog.current && close()}
      className={`m-auto rounded-xl border border-line bg-card p-0 text-ink shadow-2xl backdrop:bg-black/40 ${className}`}
    >
      {children}
    </dialog>
  );
}

interface DialogProps {
  readonly label: string;
  readonly close: () => void;
  readonly children: ReactNode;
  readonly className?: string;
}
