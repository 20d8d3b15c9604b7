import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./documents.ts";

/** Creates a temporary folder inside the workspace, so that programs in it resolve its packages. */
export async function workspaceFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = join(ROOT, ".cache/documents", randomUUID());
  await mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** Writes a temporary program that resolves the packages of the workspace. */
export async function temporaryFile(code: string, extension = "ts"): Promise<{ path: string } & AsyncDisposable> {
  const folder = await workspaceFolder();
  const path = join(folder.path, `program.${extension}`);
  await writeFile(path, code);
  return { path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
