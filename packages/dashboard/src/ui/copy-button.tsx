import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { copyText } from "./copy-text.ts";
import { quietButton } from "./quiet-button.ts";

/** How long the confirmation is shown, in ms. */
const TOLD_FOR = 1_600;

/** Copies a text that is generated on demand, and confirms it. */
export function CopyButton({ text, label, children }: CopyButtonProps) {
  const [told, tell] = useState<string>();
  useEffect(() => {
    if (told === undefined) return;
    const timer = setTimeout(() => tell(undefined), TOLD_FOR);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = async () => {
    try {
      await copyText(await text());
      tell("Copied");
    } catch (error) {
      tell(`Failed to copy: ${(error as Error).message}`);
    }
  };
  const Icon = told === "Copied" ? Check : Copy;
  return (
    <button type="button" className={quietButton} aria-label={label} title={told ?? label} onClick={() => void copy()}>
      <Icon size={13} aria-hidden="true" className={told === "Copied" ? "text-good" : ""} />
      {children}
      <span role="status" className="sr-only">
        {told}
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
