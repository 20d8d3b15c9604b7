import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";

/** Returns the size of the client without the React hooks, minified and gzipped, in bytes. */
export async function clientBytes(): Promise<number> {
  return gzipSync(await clientCode()).length;
}

/** Returns the client without the React hooks as one minified module. */
export async function clientCode(): Promise<string> {
  const { output } = (await build({
    root: fileURLToPath(new URL(".", import.meta.url)),
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      target: "es2022",
      lib: { entry: "src/index.ts", formats: ["es"], fileName: "index" },
      // Vite leaves white space and module comments in libraries. An application's build removes them.
      rolldownOptions: { output: { minify: true } },
    },
  }).then((built) => [built].flat()[0])) as Rolldown.RolldownOutput;
  return output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
}
