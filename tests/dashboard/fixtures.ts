import { type BrowserContext, test as base, type Page } from "@playwright/test";

export { expect } from "@playwright/test";

/** A page and everything that went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  /** Console errors, uncaught exceptions and failed requests, in order. */
  readonly errors: string[];
}

interface Fixtures {
  /** The console errors, uncaught exceptions and failed requests of `page`, in order. */
  readonly errors: string[];
  /** Opens a URL in another context, which shares no cookies, storage or cache with `page`. */
  readonly openPage: (url: string) => Promise<OpenPage>;
}

/** Playwright's `test` with recorded page errors and further pages. */
export const test = base.extend<Fixtures>({
  errors: async ({ page }, use) => {
    await use(errorsOf(page));
  },
  openPage: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (url) => {
      const context = await browser.newContext();
      contexts.push(context);
      const page = await context.newPage();
      const errors = errorsOf(page);
      await page.goto(url);
      return { page, errors };
    });
    for (const context of contexts) await context.close();
  },
});

function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // Navigating away aborts pending requests. That is no failure.
    if (reason !== "net::ERR_ABORTED") errors.push(`failed: ${request.url()} ${reason}`);
  });
  return errors;
}
