import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./documents.ts";

/** A program where it finds the workspace's packages. It is gone with the test. */
export async function temporaryFile(code: string): Promise<{ path: string } & AsyncDisposable> {
  const folder = join(ROOT, ".cache/documents");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${randomUUID()}.ts`);
  await writeFile(path, code);
  return { path, [Symbol.asyncDispose]: () => rm(path) };
}
