/** Longest tool name that providers accept, in characters. */
const MAX_NAME = 64;

/**
 * Returns the names of a server's tools for models: the server's name, `_` and the tool's name, in allowed characters.
 * Server names contain no `_`, so tools of different servers cannot collide.
 */
export function toolNames(server: string, tools: readonly string[]): string[] {
  const taken = new Set<string>();
  return tools.map((tool) => {
    const base = `${server}_${tool.replace(/[^A-Za-z0-9_-]/g, "_")}`.slice(0, MAX_NAME);
    let name = base;
    for (let count = 2; taken.has(name); count += 1) name = `${base.slice(0, MAX_NAME - 4)}_${count}`;
    taken.add(name);
    return name;
  });
}
