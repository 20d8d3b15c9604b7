import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";

/** What a web page pays for the client without the React hooks: bytes, minified and gzipped. */
export async function clientBytes(): Promise<number> {
  const { output } = (await build({
    root: fileURLToPath(new URL(".", import.meta.url)),
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: true,
      target: "es2022",
      lib: { entry: "src/index.ts", formats: ["es"], fileName: "index" },
    },
  }).then((built) => [built].flat()[0])) as Rolldown.RolldownOutput;
  return output.reduce((bytes, piece) => bytes + (piece.type === "chunk" ? gzipSync(piece.code).length : 0), 0);
}
