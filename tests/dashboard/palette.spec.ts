import { servedPizzeria } from "../support/pizzeria.ts";
import { expect, test } from "./fixtures.ts";

test.describe("command palette and shortcuts", () => {
  test("the palette finds screens, agents, runs, artifacts and seqs", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    const jump = async (text: string, to: RegExp) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill(text);
      await expect(page.getByRole("dialog").getByRole("option").first()).toBeVisible();
      await page.keyboard.press("Enter");
      await page.waitForURL(to);
    };
    await jump("truffle", /\/blackboard\//);
    await jump("live output", /\/output$/);
    await jump("4", /seq=4/);
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.waitForURL(/\/events\?seq=4/);
  });

  test("the sheet lists shortcuts and turns single letters off", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect(sheet.getByText("Go live")).toBeVisible();
    await sheet.getByLabel("Single-letter shortcuts").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("dialog", { name: "Command palette" })).toBeVisible();
    expect(await sheet.count()).toBe(0);
  });
});
