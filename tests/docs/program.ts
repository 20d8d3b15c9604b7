import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./documents.ts";

/** A folder inside the workspace, so that programs in it find its packages. It is gone with the test. */
export async function workspaceFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = join(ROOT, ".cache/documents", randomUUID());
  await mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A program where it finds the workspace's packages. It is gone with the test. */
export async function temporaryFile(code: string, extension = "ts"): Promise<{ path: string } & AsyncDisposable> {
  const folder = await workspaceFolder();
  const path = join(folder.path, `program.${extension}`);
  await writeFile(path, code);
  return { path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
