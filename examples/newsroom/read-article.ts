import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { FlockError } from "flock-ts";
import { Article } from "./artifacts.ts";

/** Size limit of an article, in bytes. */
const MAX_BYTES = 2_000_000;

/** The file cannot be used as an article; `message` gives the reason in one sentence. */
export class UnreadableArticle extends Error {
  override readonly name = "UnreadableArticle";
}

/**
 * Reads a text file as an article, ready to publish.
 * @throws UnreadableArticle when it is missing, a folder, binary, empty or larger than 2 MB.
 */
export async function readArticle(file: string) {
  const bytes = await contentOf(file);
  if (bytes.includes(0)) throw new UnreadableArticle(`${file} is a binary file: use text or Markdown`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableArticle(`${file} is not UTF-8 text: convert it first`);
  }
  const title = /^#\s+(.+)$/m.exec(text)?.[1] ?? basename(file);
  try {
    return Article({ title, text });
  } catch (error) {
    if (error instanceof FlockError) throw new UnreadableArticle(`${file}: ${error.message}`);
    throw error;
  }
}

async function contentOf(file: string): Promise<Buffer> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw new UnreadableArticle(`${file} is a folder: use a text file`);
    if (!found.isFile()) throw new UnreadableArticle(`${file} is not a regular file`);
    if (found.size > MAX_BYTES)
      throw new UnreadableArticle(`${file} has ${found.size} bytes: the limit is ${MAX_BYTES}`);
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new UnreadableArticle(`${file} does not exist`);
    if (code === "EACCES" || code === "EPERM") throw new UnreadableArticle(`${file} is not readable for this user`);
    throw error;
  }
}
