/**
 * The path that the dashboard is served from, with slashes around it: `/`, or `/app/flock/` behind a proxy that serves it
 * under a sub-path. The build puts every script into one folder below it. During development, it is the root.
 */
export const BASE = import.meta.env.PROD ? folderAbove(import.meta.url) : "/";

/** Returns a path of the server, such as `/metrics` or the empty path, as the browser reaches it. */
export function fromBase(path: string): string {
  return BASE.slice(0, -1) + path;
}

// Written in place, Vite would take the URL for that of a file to bundle.
function folderAbove(script: string): string {
  return new URL("..", script).pathname;
}
