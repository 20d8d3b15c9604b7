import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type CDPSession, chromium, type Page } from "playwright-core";
import { PLAIN_PATH, type PlainPage, plainPage } from "./plain-pages.ts";
import { PROBE } from "./probe.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
/** Longer than anything here needs, in ms. */
const PATIENCE_MS = 120_000;

/** What the page has noticed in a while. */
export interface Noticed {
  readonly framesPerSecond: readonly number[];
  /** 0 when none was longer than 50 ms. */
  readonly longestTaskMs: number;
  readonly clicksMs: readonly number[];
}

/** Somebody who looks at a page in a headless Chromium. */
export class Viewer {
  readonly page: Page;
  readonly #browserSession: CDPSession;
  readonly #session: CDPSession;
  /** Compressed sizes of the scripts that have come, in bytes. */
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
          // The browser has been closed: nobody asks any more.
          () => 0,
        ),
      );
    });
  }

  /** Lets somebody look, and ends the browser, however that goes. */
  static async with<T>(work: (viewer: Viewer) => Promise<T>): Promise<T> {
    if (!existsSync(CHROMIUM))
      throw new Error(`${CHROMIUM} is missing (Debian package chromium): npm test installs it`);
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

  /** Opens a screen of the dashboard. Resolves when it is live, to how long that took, in ms. */
  async open(url: string): Promise<number> {
    await this.page.goto(url, { waitUntil: "commit" });
    return this.ask<number>("live()");
  }

  /** Opens a page that is none of the dashboard's. Resolves when it has caught up, to how long that took, in ms. */
  async openPlain(url: string, name: PlainPage, since: number): Promise<number> {
    await this.page.goto(url + PLAIN_PATH);
    await this.page.setContent(plainPage(name, since));
    return this.ask<number>("caughtUp()");
  }

  /**
   * Asks the probe.
   * @throws Error when it has not answered in time.
   */
  ask<T = unknown>(question: string): Promise<T> {
    const answer = this.page.evaluate<T>(`bench.${question}`);
    const late = pause(PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new Error(`the page has not answered bench.${question}`);
    });
    return Promise.race([answer, late]);
  }

  /** Clicks something that is in sight, as a hand would. Does nothing when there is no such thing. */
  async click(selector: string): Promise<boolean> {
    const target = await this.ask<{ x: number; y: number } | null>(`target(${JSON.stringify(selector)})`);
    if (!target) return false;
    await this.page.mouse.click(target.x, target.y);
    return true;
  }

  /** Looks for so long, and in the meantime clicks one thing after the other. Resolves to how many clicks there were. */
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

  /** What was noticed in so many seconds from the beginning of the last `watch`. */
  noticed(seconds: number): Promise<Noticed> {
    return this.ask<Noticed>(`end(${seconds})`);
  }

  /** What the page holds when everything that can go has gone, in MB. */
  async heapMB(): Promise<number> {
    await this.#session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await this.#session.send("Runtime.getHeapUsage");
    return usedSize / 1e6;
  }

  /** What the browser's processes for pages have used, workers included, in ms. */
  async cpuMs(): Promise<number> {
    const { processInfo } = await this.#browserSession.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0);
  }

  /** Compressed JavaScript that has come so far, in kB. */
  async scriptKB(): Promise<number> {
    const sizes = await Promise.all(this.#scripts);
    return sizes.reduce((sum, size) => sum + size, 0) / 1_000;
  }
}
