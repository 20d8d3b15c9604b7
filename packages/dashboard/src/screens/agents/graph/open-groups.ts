import { adjust, currentRoute, type Params } from "../../../router/route.ts";

/** Reads the open groups from the URL, each named by its first agent. */
export function openGroups(param: string): ReadonlySet<string> {
  return new Set(param.split(",").filter(Boolean).map(decodeURIComponent));
}

/** Opens or closes a group. */
export function toggleGroup(group: string): void {
  const open = new Set(openGroups(currentRoute().params.open ?? ""));
  if (!open.delete(group)) open.add(group);
  adjust({ params: { open: [...open].map(encodeURIComponent).join(",") || undefined } });
}

/** The URL parameters that links to and from an agent preserve. */
export function keptParams({ open }: Params): Params {
  return open ? { open } : {};
}
