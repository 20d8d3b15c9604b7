import { documentedProxy, startNginx } from "../support/nginx.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

test("the dashboard connects on load and shows events as they happen", async ({ page, errors }) => {
  await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
  await page.goto(server.url);
  await expect(page.getByRole("status").getByText("Live")).toBeVisible();
  expect(server.websocket.connectionCount).toBe(1);
  await page.getByRole("link", { name: "Runs" }).click();
  await expect(page.getByText("No runs yet")).toBeVisible();
  await server.flock.publish(Idea({ description: "truffle" }));
  await expect(page.getByText("Thinking about truffle")).toBeVisible();
  expect(errors).toEqual([]);
});

test.describe("behind nginx, under a sub-path", () => {
  const subPath = (port: number) => `
    location /app/flock/ {
      proxy_pass http://127.0.0.1:${port}/;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
    }`;

  for (const path of ["/app/flock", "/app/flock/", "/app/flock/runs", "/app/flock/runs/", "/app/flock/runs/x?seq=1"])
    test(`the dashboard is live at ${path}`, async ({ page, errors }) => {
      await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
      await using nginx = await startNginx({ locations: subPath(server.server.port) });
      await server.flock.publish(Idea({ description: "basil" }));
      await page.goto(nginx.url + path);
      await expect(page.getByRole("link", { name: "Health" })).toBeVisible();
      if (path.includes("seq")) await page.goto(`${nginx.url}/app/flock/runs`);
      await expect(page.getByRole("status").getByText("Live")).toBeVisible();
      // Links, REST requests, workers and chunks that are loaded later.
      await page.getByRole("link", { name: "Health" }).click();
      await expect(page).toHaveURL(/\/app\/flock\/system$/);
      await page.getByRole("link", { name: "Agents" }).first().click();
      await expect(page).toHaveURL(/\/app\/flock\/agents$/);
      await page.getByRole("link", { name: "Runs" }).click();
      await server.flock.publish(Idea({ description: "truffle" }));
      await expect(page.getByText("Thinking about truffle")).toBeVisible();
      await page.reload();
      await expect(page.getByText("Thinking about truffle")).toBeVisible();
      expect(errors).toEqual([]);
    });

  for (const path of ["/app/flock/docs", "/app/flock/docs/"])
    test(`the API documents are at ${path}`, async ({ page, errors }) => {
      await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
      await using nginx = await startNginx({ locations: subPath(server.server.port) });
      await page.goto(nginx.url + path);
      await page.getByText("/api/plugin/graph").first().click();
      await page.getByRole("button", { name: "Try it out" }).click();
      await page.getByRole("button", { name: "Execute" }).click();
      await expect(page.locator(".request-url").getByText(`${nginx.url}/app/flock/api/plugin/graph`)).toBeVisible();
      await expect(page.locator(".response-col_status").getByText("200").first()).toBeVisible();
      expect(errors).toEqual([]);
    });
});

test.describe("behind nginx", () => {
  for (const tls of [false, true])
    test(`the dashboard shows events as they happen (TLS: ${tls})`, async ({ page }) => {
      await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
      await using nginx = await startNginx({ locations: documentedProxy(server.server.port), tls });
      await page.goto(`${nginx.url}/runs`);
      await expect(page.getByRole("status").getByText("Live")).toBeVisible();
      await server.flock.publish(Idea({ description: "truffle" }));
      await expect(page.getByText("Thinking about truffle")).toBeVisible();
    });
});
