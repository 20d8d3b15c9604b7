import { execFile } from "node:child_process";
import { stripTypeScriptTypes } from "node:module";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { typeCheck } from "../docs/type-check.ts";
import { Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

/** Grants clipboard access and returns a function that presses a copy button and reads the clipboard. */
async function copier(page: Page): Promise<(name: string) => Promise<string>> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  return async (name) => {
    await page.getByRole("button", { name, exact: true }).click();
    await expect(page.getByText("Copied", { exact: true })).toBeVisible();
    const text: string = await page.evaluate("navigator.clipboard.readText()");
    await expect(page.getByText("Copied", { exact: true })).toHaveCount(0);
    return text;
  };
}

test.describe("payload viewer", () => {
  const Big = artifact("Big", z.object({ items: z.array(z.unknown()) }));

  async function withBig(count: number) {
    const flock = new Flock();
    flock.register(Big);
    const server = await startServer({ flock, components: [], dashboard: true });
    const items = Array.from({ length: count }, (_, n) => ({
      id: n,
      name: `item ${n}`,
      text: "lorem ipsum ".repeat(12),
    }));
    const { artifactId } = await flock.publish(Big({ items }));
    return { server, url: `${server.url}/artifacts/${artifactId}` };
  }

  test("expands, collapses, moves and searches by keyboard", async ({ page, errors }) => {
    const { server, url } = await withBig(3);
    await using _ = server;
    await page.goto(url);
    const tree = page.getByRole("tree", { name: "Payload" });
    await tree.focus();
    const path = page.getByLabel("Path", { exact: true });
    await page.keyboard.press("ArrowDown");
    expect(await path.textContent()).toBe("$.items[0]");
    await page.keyboard.press("ArrowLeft");
    await expect(tree.getByRole("treeitem", { expanded: false }).first()).toBeVisible();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await path.textContent()).toBe("$.items[0].id");
    await page.keyboard.press("/");
    await page.keyboard.type("ITEM 2");
    await expect(page.getByText("1 of 1", { exact: true })).toBeVisible();
    await page.keyboard.press("Escape");
    expect(await path.textContent()).toBe("$.items[2].name");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("dialog").getByLabel("Text", { exact: true }).inputValue()).toBe(
      "lorem ipsum ".repeat(12),
    );
    await page.keyboard.press("Escape");
    expect(errors).toEqual([]);
  });

  test("copies JSON, a curl command, TypeScript, and a row's path and value", async ({ page }) => {
    const { server, url } = await withBig(1);
    await using _ = server;
    await page.goto(url);
    const copied = await copier(page);
    expect(JSON.parse(await copied("Copy as JSON")).items).toHaveLength(1);
    expect(await copied("Copy as curl")).toContain(`curl -X POST '${server.url}/api/plugin/publish'`);
    expect(await copied("Copy as TypeScript")).toMatch(/^await flock\.publish\(Big\(\{\n {2}items: \[/);
    await page.getByRole("treeitem").filter({ hasText: "name:" }).last().click();
    expect(await copied("Copy path")).toBe("$.items[0].name");
    expect(await copied("Copy value")).toBe("item 0");
  });

  test("the copied command and the copied TypeScript publish the same artifact again", async ({ page }) => {
    const flock = new Flock();
    flock.register(Pizza);
    await using server = await startServer({ flock, components: [], dashboard: true });
    const payload = { name: `Zoë's "special" $(x) \\ \n٣`, toppings: ["it's hot", "`basil`"] };
    const { artifactId } = await flock.publish(Pizza(payload), { tags: ["fast"] });
    await page.goto(`${server.url}/artifacts/${artifactId}`);
    const copied = await copier(page);
    const command = await copied("Copy as curl");
    const code = await copied("Copy as TypeScript");
    const { stdout } = await promisify(execFile)("sh", ["-c", command]);
    expect(JSON.parse(stdout)).toMatchObject({ artifact_id: expect.any(String) });
    // The second is wrong on purpose, to prove that the check reports errors.
    const blocks = [code, code.replace("toppings:", "topping:")].map((code, index) => {
      return { document: `docs/copied-${index}.md`, line: 1, language: "ts", flags: [], code };
    });
    expect(typeCheck(blocks)).toEqual([expect.stringMatching(/^docs\/copied-1\.md:\d+ .*'topping'/)]);
    await new Function("flock", "Pizza", `return (async () => { ${stripTypeScriptTypes(code)} })();`)(flock, Pizza);
    const { artifacts } = (await (await server.get("/api/v1/plugin/artifacts")).json()) as { artifacts: unknown[] };
    expect(artifacts).toHaveLength(3);
    for (const one of artifacts) expect(one).toMatchObject({ payload, tags: ["fast"] });
  });

  test("renders only visible rows of a 20 MB payload and parses it in a worker", async ({ page, errors }) => {
    const { server, url } = await withBig(100_000);
    await using _ = server;
    await page.goto(url);
    await expect(page.getByRole("treeitem").first()).toBeVisible();
    await page.getByLabel("Find in payload").fill("item 99998");
    await expect(page.getByText("1 of 1", { exact: true })).toBeVisible();
    await expect(page.getByLabel("Path", { exact: true })).toHaveText("$.items[99998].name");
    expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
    expect(page.workers().length).toBeGreaterThan(0);
    expect(errors).toEqual([]);
  });
});
