import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { copyText } from "./copy-text.ts";
import { quietButton } from "./quiet-button.ts";

/** How long the confirmation is shown, in ms. */
const NOTICE_MS = 1_600;

/** Copies a text that is generated on demand, and confirms it. */
export function CopyButton({ text, label, children }: CopyButtonProps) {
  const [notice, setNotice] = useState<string>();
  useEffect(() => {
    if (notice === undefined) return;
    const timer = setTimeout(() => setNotice(undefined), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  const copy = async () => {
    try {
      await copyText(await text());
      setNotice("Copied");
    } catch (error) {
      setNotice(`Failed to copy: ${(error as Error).message}`);
    }
  };
  const Icon = notice === "Copied" ? Check : Copy;
  return (
    <button
      type="button"
      className={quietButton}
      aria-label={label}
      title={notice ?? label}
      onClick={() => void copy()}
    >
      <Icon size={13} aria-hidden="true" className={notice === "Copied" ? "text-good" : ""} />
      {children}
      <span role="status" className="sr-only">
        {notice}
      </span>
    </button>
  );
}

interface CopyButtonProps {
  readonly text: () => string | Promise<string>;
  /** The accessible name: what it copies. */
  readonly label: string;
  readonly children?: ReactNode;
}
