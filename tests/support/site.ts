import { createServer } from "node:http";

/** A site with one page, on a separate origin. */
export interface Site extends AsyncDisposable {
  /** `http://localhost:PORT`, as a browser names it in `Origin`. */
  readonly origin: string;
}

/** Serves one HTML page at every path, on a free port of the loopback. */
export async function serveSite(html: string): Promise<Site> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    origin: `http://localhost:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
