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
