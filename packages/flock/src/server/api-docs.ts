import type { FastifyInstance } from "fastify";

/** Shown where Swagger UI is not installed: it is larger than all of Flock, and not every server shows it to people. */
const WITHOUT_UI = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Flock API</title>
<h1>Flock API</h1>
<p>The API as an OpenAPI document: <a href="openapi.json">openapi.json</a></p>
<p>To browse it here, install Swagger UI and restart the server: <code>npm install @fastify/swagger-ui</code></p>
`;

type Load = () => Promise<{ default: unknown }>;

/** Serves `/docs`: Swagger UI if `@fastify/swagger-ui` is installed, otherwise a page that says how to get it. */
export async function registerApiDocs(
  app: FastifyInstance,
  load: Load = () => import("@fastify/swagger-ui"),
): Promise<void> {
  let swaggerUi: typeof import("@fastify/swagger-ui").default;
  try {
    swaggerUi = (await load()).default as typeof swaggerUi;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    app.get("/docs", { schema: { hide: true } }, (_request, reply) => reply.type("text/html").send(WITHOUT_UI));
    return;
  }
  await app.register(swaggerUi, { routePrefix: "/docs", theme: { title: "Flock API" } });
}
