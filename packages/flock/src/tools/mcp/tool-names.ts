/** What providers take as the name of a tool, in characters. */
const MAX_NAME = 64;

/**
 * What models call the tools of a server: its name, `_`, and the tool's name, in the characters that providers take. A
 * server's name has no `_`, so that no tool of another server can have the same one.
 */
export function toolNames(server: string, tools: readonly string[]): string[] {
  const taken = new Set<string>();
  return tools.map((tool) => {
    const wanted = `${server}_${tool.replace(/[^A-Za-z0-9_-]/g, "_")}`.slice(0, MAX_NAME);
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted.slice(0, MAX_NAME - 4)}_${count}`;
    taken.add(name);
    return name;
  });
}
