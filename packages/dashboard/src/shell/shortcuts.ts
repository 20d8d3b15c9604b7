import { useEffect } from "react";
import { create } from "zustand";

/** A key, or two one after the other (`g a`), and what they do. */
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
  /** Whether single letters do anything: who speaks to the computer wants them not to. */
  readonly singleKeys: boolean;
}

/** Everything that keys do at the moment: the sheet shows it. */
export const useShortcutList = create<Known>(() => ({
  shortcuts: [],
  singleKeys: localStorage.getItem(KEY) !== "off",
}));

/** Turns single letters on or off, for this browser. */
export function allowSingleKeys(singleKeys: boolean): void {
  localStorage.setItem(KEY, singleKeys ? "on" : "off");
  useShortcutList.setState({ singleKeys });
}

/** Adds shortcuts for as long as the component is there. The list must be the same object as long as it means the same. */
export function useShortcuts(mine: readonly Shortcut[]): void {
  useEffect(() => {
    useShortcutList.setState(({ shortcuts }) => ({ shortcuts: [...shortcuts, ...mine] }));
    return () =>
      useShortcutList.setState(({ shortcuts }) => ({ shortcuts: shortcuts.filter((one) => !mine.includes(one)) }));
  }, [mine]);
}

/** How long the second key of two may take, in ms. */
const SEQUENCE_MS = 3_000;

let first: { key: string; at: number } | undefined;

/** Listens to the keyboard. */
export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    const mod = event.ctrlKey || event.metaKey;
    const { shortcuts, singleKeys } = useShortcutList.getState();
    // A dialog has keys of its own, and a field is for writing.
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
