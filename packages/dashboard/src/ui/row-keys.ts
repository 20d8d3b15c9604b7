/** Returns the row that a key leads to; undefined for keys that the list does not handle. */
export function rowAfterKey(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  at: number,
  count: number,
  page: number,
): number | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: count - 1 }[
    key
  ];
  return to === undefined ? undefined : Math.max(0, Math.min(to, count - 1));
}

/**
 * Returns the index of the row with a key; -1 without one. Searches near its previous index first, because new rows
 * move it little, and the list may have a hundred thousand.
 */
export function indexNear<T>(list: readonly T[], keyOf: (one: T) => string, key: string, near: number): number {
  const middle = Math.max(0, Math.min(near, list.length - 1));
  for (let away = 0; away < list.length; away++) {
    for (const index of [middle + away, middle - away]) {
      const one = list[index];
      if (one !== undefined && keyOf(one) === key) return index;
    }
  }
  return -1;
}

/** Moves the focus between the links in an element, for lists that are rendered completely. */
export function moveBetweenLinks(event: {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly currentTarget: Element;
  readonly target: EventTarget;
  preventDefault(): void;
}): void {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const at = links.indexOf(event.target as HTMLAnchorElement);
  const to = at < 0 ? undefined : rowAfterKey(event, at, links.length, links.length);
  if (to === undefined) return;
  event.preventDefault();
  links[to]?.focus();
}
