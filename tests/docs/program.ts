import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./documents.ts";

/**
 * Creates a folder inside the workspace, so that its programs can import the packages. It is removed after the test.
 */
export async function workspaceFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = join(ROOT, ".cache/documents", randomUUID());
  await mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** Writes a program where it can import the workspace's packages. It is removed after the test. */
export async function temporaryFile(code: string, extension = "ts"): Promise<{ path: string } & AsyncDisposable> {
  const folder = await workspaceFolder();
  const path = join(folder.path, `program.${extension}`);
  await writeFile(path, code);
  return { path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
