import { serveSite } from "../support/site.ts";
import { expect, test } from "./fixtures.ts";

const HTML = "<title>here</title><script>console.error('oh'); throw new Error('no')</script>";

test("pages record console errors and uncaught exceptions", async ({ page, errors, openPage }) => {
  await using site = await serveSite(HTML);
  await page.goto(site.origin);
  await expect(page).toHaveTitle("here");
  const expected = [`console: oh (${site.origin}/)`, "uncaught: no"];
  await expect.poll(() => errors).toEqual(expected);
  const other = await openPage(site.origin);
  await expect.poll(() => other.errors).toEqual(expected);
});
