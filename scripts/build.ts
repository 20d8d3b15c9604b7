// Makes the packages that can be published: packages/{protocol,client,flock}/dist, the dashboard inside flock's.
import { clientBytes } from "../packages/client/size.ts";
import { buildPackage, PUBLISHED } from "./package-build.ts";

/** What a web page pays for the client without the React hook, at most: bytes after minifying and gzip. */
const CLIENT_LIMIT = 6 * 1024;

for (const folder of PUBLISHED) {
  const modules = buildPackage(folder);
  console.log(`✓ packages/${folder}/dist: ${modules} modules`);
}
await checkClientSize();

async function checkClientSize(): Promise<void> {
  const bytes = await clientBytes();
  if (bytes >= CLIENT_LIMIT) {
    console.error(`✗ @flock-ts/client has ${bytes} bytes minified and gzipped, and may have ${CLIENT_LIMIT - 1}`);
    process.exit(1);
  }
  console.log(`✓ @flock-ts/client: ${bytes} of ${CLIENT_LIMIT} bytes, minified and gzipped`);
}
