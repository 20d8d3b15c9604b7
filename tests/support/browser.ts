import { type Browser, chromium, type Page } from "playwright-core";
import { installed } from "./installed.ts";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A page together with everything that went wrong in it. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Console errors, uncaught exceptions and failed requests, in the order in which they happened. */
  readonly errors: string[];
}

/** A headless Chromium. */
export interface TestBrowser extends AsyncDisposable {
  /** A page in a context of its own: no cookies, storage or cache of another test. */
  open(url: string): Promise<OpenPage>;
}

/** Starts Debian's Chromium. Certificates that nobody vouches for are accepted when `anyCertificate` says so. */
export async function launchBrowser({ anyCertificate = false } = {}): Promise<TestBrowser> {
  const browser = await chromium.launch({
    executablePath: installed("/usr/bin/chromium", "chromium"),
    args: [...ARGUMENTS, ...(anyCertificate ? ["--ignore-certificate-errors"] : [])],
  });
  return { open: (url) => openPage(browser, url), [Symbol.asyncDispose]: () => browser.close() };
}

async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    // What a page has asked for and no longer waits for when it goes elsewhere is nobody's fault.
    if (why === "net::ERR_ABORTED") return;
    errors.push(`failed: ${request.url()} ${why}`);
  });
  await page.goto(url);
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}
