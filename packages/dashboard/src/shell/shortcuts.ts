import { useEffect } from "react";
import { create } from "zustand";

/** A key, or a sequence of two (`g a`), with its action. */
export interface Shortcut {
  /** As `KeyboardEvent.key` names them; `mod+` is Ctrl, on a Mac Cmd. */
  readonly keys: string;
  readonly does: string;
  readonly group: string;
  readonly run: () => void;
}

const KEY = "flock-single-keys";

interface Known {
  readonly shortcuts: readonly Shortcut[];
  /** Whether single-letter shortcuts are enabled. Users of speech input disable them. */
  readonly singleKeys: boolean;
}

/** The active shortcuts, for the sheet. */
export const useShortcutList = create<Known>(() => ({
  shortcuts: [],
  singleKeys: localStorage.getItem(KEY) !== "off",
}));

/** Enables or disables single-letter shortcuts in this browser. */
export function allowSingleKeys(singleKeys: boolean): void {
  localStorage.setItem(KEY, singleKeys ? "on" : "off");
  useShortcutList.setState({ singleKeys });
}

/** Adds shortcuts while the component is mounted. The list must be the same object while it is unchanged. */
export function useShortcuts(mine: readonly Shortcut[]): void {
  useEffect(() => {
    useShortcutList.setState(({ shortcuts }) => ({ shortcuts: [...shortcuts, ...mine] }));
    return () =>
      useShortcutList.setState(({ shortcuts }) => ({ shortcuts: shortcuts.filter((one) => !mine.includes(one)) }));
  }, [mine]);
}

/** The longest time between two keys of a sequence, in ms. */
const SEQUENCE_MS = 3_000;

let first: { key: string; at: number } | undefined;

/** Starts to listen to the keyboard. */
export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    const mod = event.ctrlKey || event.metaKey;
    const { shortcuts, singleKeys } = useShortcutList.getState();
    // Dialogs handle keys themselves, and fields need letters.
    if (!mod && (!singleKeys || isForWriting(event.target) || document.querySelector("dialog[open]"))) return;
    const key = mod ? `mod+${event.key.toLowerCase()}` : event.key;
    const sequence = first && event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${key}` : undefined;
    const found = shortcuts.findLast(({ keys }) => keys === sequence) ?? shortcuts.findLast(({ keys }) => keys === key);
    first = found ? undefined : { key, at: event.timeStamp };
    if (!found) return;
    event.preventDefault();
    found.run();
  });
}

function isForWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
}
