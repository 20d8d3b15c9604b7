import { adjust, currentRoute, type Params } from "../../../router/route.ts";

/** The groups that are open, as the address tells them: each by its first agent. */
export function openGroups(param: string): ReadonlySet<string> {
  return new Set(param.split(",").filter(Boolean).map(decodeURIComponent));
}

/** Opens a group, or closes it. */
export function toggleGroup(group: string): void {
  const open = new Set(openGroups(currentRoute().params.open ?? ""));
  if (!open.delete(group)) open.add(group);
  adjust({ params: { open: [...open].map(encodeURIComponent).join(",") || undefined } });
}

/** What stays as it is on the way to an agent and back. */
export function keptParams({ open }: Params): Params {
  return open ? { open } : {};
}
