import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type CDPSession, chromium, type Page } from "playwright-core";
import { PLAIN_PATH, type PlainPage, plainPage } from "./plain-pages.ts";
import { PROBE } from "./probe.ts";

const CHROMIUM = "/usr/bin/chromium-headless-shell";
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
/** Time limit for every step, in ms. */
const PATIENCE_MS = 120_000;

/** Measurements of the page over a period. */
export interface Noticed {
  readonly framesPerSecond: readonly number[];
  /** Longest task in ms; 0 when none was longer than 50 ms. */
  readonly longestTaskMs: number;
  readonly clicksMs: readonly number[];
}

/** A user with a page in headless Chromium. */
export class Viewer {
  readonly page: Page;
  readonly #browserSession: CDPSession;
  readonly #session: CDPSession;
  /** Compressed sizes of the loaded scripts, in bytes. */
  readonly #scripts: Promise<number>[] = [];

  /** @internal */
  private constructor(browserSession: CDPSession, page: Page, session: CDPSession) {
    this.#browserSession = browserSession;
    this.page = page;
    this.#session = session;
    page.on("response", (response) => {
      if (!new URL(response.url()).pathname.endsWith(".js")) return;
      this.#scripts.push(
        response.body().then(
          (body) => gzipSync(body).length,
          // The browser is already closed.
          () => 0,
        ),
      );
    });
  }

  /** Runs work with a viewer and closes the browser in any case. */
  static async with<T>(work: (viewer: Viewer) => Promise<T>): Promise<T> {
    if (!existsSync(CHROMIUM))
      throw new Error(`${CHROMIUM} is missing (Debian package chromium). Run npm test to install it.`);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      page.setDefaultTimeout(PATIENCE_MS);
      await page.addInitScript(PROBE);
      const session = await page.context().newCDPSession(page);
      return await work(new Viewer(await browser.newBrowserCDPSession(), page, session));
    } finally {
      await browser.close();
    }
  }

  /** Opens a screen of the dashboard. Resolves to the time until it is live, in ms. */
  async open(url: string): Promise<number> {
    await this.page.goto(url, { waitUntil: "commit" });
    return this.ask<number>("live()");
  }

  /** Opens a baseline page. Resolves to the time until it has caught up, in ms. */
  async openPlain(url: string, name: PlainPage, since: number): Promise<number> {
    await this.page.goto(url + PLAIN_PATH);
    await this.page.setContent(plainPage(name, since));
    return this.ask<number>("caughtUp()");
  }

  /**
   * Calls the probe.
   * @throws Error when it does not answer in time.
   */
  ask<T = unknown>(question: string): Promise<T> {
    const answer = this.page.evaluate<T>(`bench.${question}`);
    const late = pause(PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new Error(`the page did not answer \`bench.${question}\``);
    });
    return Promise.race([answer, late]);
  }

  /** Clicks a visible element like a user. Does nothing when there is none. */
  async click(selector: string): Promise<boolean> {
    const target = await this.ask<{ x: number; y: number } | null>(`target(${JSON.stringify(selector)})`);
    if (!target) return false;
    await this.page.mouse.click(target.x, target.y);
    return true;
  }

  /** Watches for a time and clicks elements in turn. Resolves to the number of clicks. */
  async watch(seconds: number, clicks: readonly string[], everyMs: number): Promise<number> {
    const until = performance.now() + seconds * 1_000;
    let clicked = 0;
    await this.ask("begin()");
    for (let index = 0; performance.now() < until; index++) {
      const selector = clicks[index % clicks.length];
      if (selector !== undefined && (await this.click(selector))) clicked++;
      await pause(everyMs);
    }
    return clicked;
  }

  /** Returns the measurements of a number of seconds since the last `watch` started. */
  noticed(seconds: number): Promise<Noticed> {
    return this.ask<Noticed>(`end(${seconds})`);
  }

  /** Returns the heap of the page after garbage collection, in MB. */
  async heapMB(): Promise<number> {
    await this.#session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await this.#session.send("Runtime.getHeapUsage");
    return usedSize / 1e6;
  }

  /** Returns the CPU time of the browser's page processes, including workers, in ms. */
  async cpuMs(): Promise<number> {
    const { processInfo } = await this.#browserSession.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0);
  }

  /** Returns the compressed JavaScript loaded so far, in kB. */
  async scriptKB(): Promise<number> {
    const sizes = await Promise.all(this.#scripts);
    return sizes.reduce((sum, size) => sum + size, 0) / 1_000;
  }
}
