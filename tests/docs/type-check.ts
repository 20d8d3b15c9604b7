import { join } from "node:path";
import ts from "typescript";
import { type Block, ROOT } from "./documents.ts";

/**
 * Names that code blocks use without an import. docs/README.md documents them.
 * A block can shadow them with its own declaration.
 */
const SHARED_NAMES = `
  import { artifact, type Flock, type FlockServer } from "flock-ts";
  import type { FlockClient } from "@flock-ts/client";
  import { z } from "zod";
  const PizzaIdea = artifact("PizzaIdea", z.object({ description: z.string() }));
  const PizzaType = artifact("Pizza", z.object({ name: z.string(), toppings: z.array(z.string()) }));
  declare global {
    const flock: Flock;
    const server: FlockServer;
    const client: FlockClient;
    const Idea: typeof PizzaIdea;
    const Pizza: typeof PizzaType;
  }
`;

/** Type-checks blocks together, each as a module next to its document. Returns one line per error. */
export function typeCheck(blocks: readonly Block[]): string[] {
  const virtual = new Map<string, { code: string; block?: Block }>();
  const shared = join(ROOT, "docs/shared-names.ts");
  virtual.set(shared, { code: SHARED_NAMES });
  for (const block of blocks) {
    virtual.set(join(ROOT, `${block.document}.${block.line}.${block.language}`), { code: block.code, block });
  }
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (file) => virtual.has(file) || fileExists(file);
  host.readFile = (file) => virtual.get(file)?.code ?? readFile(file);
  host.getSourceFile = (file, settings, ...rest) => {
    const known = virtual.get(file);
    return known ? ts.createSourceFile(file, known.code, settings, true) : getSourceFile(file, settings, ...rest);
  };
  const program = ts.createProgram([...virtual.keys()], options, host);
  return [...virtual].flatMap(([file, { block }]) => {
    const source = program.getSourceFile(file) as ts.SourceFile;
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return diagnostics.map(({ messageText, start = 0 }) => {
      const line = source.getLineAndCharacterOfPosition(start).line + (block?.line ?? 1);
      return `${block?.document ?? "the shared names"}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  });
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { incremental: _, tsBuildInfoFile: __, ...workspace } = config.compilerOptions;
  return ts.convertCompilerOptionsFromJson({ ...workspace, moduleDetection: "force" }, ROOT).options;
}
