import { mkdir, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { selfSignedCertificate } from "./certificate.ts";
import { temporaryFolder } from "./folder.ts";
import { installed } from "./installed.ts";
import { RunningProgram } from "./process.ts";

/** Options of an nginx. */
export interface NginxOptions {
  /** The location blocks of the one server. */
  readonly locations: string;
  /** Serve TLS with a self-signed certificate; off unless said. */
  readonly tls?: boolean;
}

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** `http://localhost:PORT`, or `https://` with TLS. */
  readonly url: string;
  /** `ws://localhost:PORT`, or `wss://` with TLS. */
  readonly wsUrl: string;
}

/** The `location` blocks of the documented proxy configuration for a server on a port. */
export const documentedProxy = (port: number): string => `
  location / {
    proxy_pass http://127.0.0.1:${port};
    proxy_set_header Host $host;
  }
  location /plugin/ws {
    proxy_pass http://127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
    proxy_cache_bypass $http_upgrade;
  }`;

/** The number of attempts: another program can take the free port before nginx listens on it. */
const PORT_ATTEMPTS = 5;

/** Starts Debian's nginx on a free port of the loopback, with all its files in a temporary folder. */
export async function startNginx({ locations, tls = false }: NginxOptions): Promise<Nginx> {
  const program = installed("/usr/sbin/nginx", "nginx-light");
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryFolder());
  const files = tls ? await selfSignedCertificate(folder) : undefined;
  await mkdir(join(folder, "logs"));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const config = join(folder, "nginx.conf");
    await writeFile(config, configuration({ folder, port, locations, files }));
    const running = new RunningProgram([program, "-p", folder, "-c", config, "-e", "stderr"]);
    if (await listens(running, port)) {
      stack.use(running);
      const ending = stack.move();
      return {
        port,
        url: `http${tls ? "s" : ""}://localhost:${port}`,
        wsUrl: `ws${tls ? "s" : ""}://localhost:${port}`,
        [Symbol.asyncDispose]: () => ending.disposeAsync(),
      };
    }
    await running[Symbol.asyncDispose]();
    if (attempt === PORT_ATTEMPTS || !running.errors.includes("Address already in use")) {
      throw new Error(`nginx did not start:\n${running.errors}`);
    }
  }
}

interface Configuration {
  folder: string;
  port: number;
  locations: string;
  files: { certificate: string; key: string } | undefined;
}

// One process in the foreground: its pid is the one we started, and nothing is left when it ends.
function configuration({ folder, port, locations, files }: Configuration): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port}${files ? " ssl" : ""};
    ${files ? `ssl_certificate ${files.certificate};\n    ssl_certificate_key ${files.key};` : ""}
    ${locations}
  }
}
`;
}

/** Finds a port that no program listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves to true when the program listens on the port, and to false if it ends first. */
async function listens(program: RunningProgram, port: number): Promise<boolean> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    if (program.exitCode !== undefined) return false;
    if (await accepts(port)) return program.exitCode === undefined;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
