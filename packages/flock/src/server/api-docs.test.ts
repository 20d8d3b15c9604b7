import Fastify from "fastify";
import { expect, it } from "vitest";
import { registerApiDocs } from "./api-docs.ts";

it("says how to get Swagger UI where it is not installed", async () => {
  const app = Fastify();
  await registerApiDocs(app, () =>
    Promise.reject(Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" })),
  );
  const response = await app.inject("/docs");
  expect(response.headers["content-type"]).toMatch("text/html");
  expect(response.body).toContain("npm install @fastify/swagger-ui");
  expect(response.body).toContain('href="openapi.json"');
});

it("reports any other failure to load it", async () => {
  await expect(registerApiDocs(Fastify(), () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});
