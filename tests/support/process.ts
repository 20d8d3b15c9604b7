import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Changes } from "./changes.ts";

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The time between SIGTERM and SIGKILL, in ms. Default: 5,000. */
  readonly grace?: number;
}

/** A program that runs during a test. It ends with the test, even if the test fails. */
export class RunningProgram implements AsyncDisposable {
  /** What it has printed on standard output, line by line. */
  readonly lines: string[] = [];
  /** What it has printed on standard error. */
  errors = "";
  readonly #child: ChildProcess;
  readonly #grace: number;
  readonly #exit: Promise<number>;
  #exitCode: number | undefined;
  readonly #changes = new Changes();

  constructor(command: readonly [string, ...string[]], { grace = 5_000, ...options }: ProgramOptions = {}) {
    this.#grace = grace;
    this.#child = spawn(command[0], command.slice(1), { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const { stdout, stderr } = this.#child;
    createInterface({ input: stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.#changes.tell();
    });
    stderr!.on("data", (chunk: Buffer) => {
      this.errors += chunk;
      this.#changes.tell();
    });
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      // `close`, not `exit`: only then has everything it printed arrived.
      this.#child.once("close", (code, signal) => {
        this.#exitCode = code ?? (signal ? 128 : 1);
        resolve(this.#exitCode);
        this.#changes.tell();
      });
    });
    this.#exit.catch(() => {});
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** The exit code once it has ended, else undefined. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** The exit code, when it has ended by itself. */
  async exit(): Promise<number> {
    await this.#changes.until(
      () => this.#exitCode !== undefined,
      () => `it did not end; ${this.#account()}`,
    );
    return this.#exit;
  }

  /** The first line that matches. Fails when the program ends without it. */
  async line(pattern: RegExp): Promise<string> {
    return this.#changes.until(
      () => {
        const found = this.lines.find((line) => pattern.test(line));
        if (found === undefined && this.#exitCode !== undefined) {
          throw new Error(`it ended without the line ${pattern}; ${this.#account()}`);
        }
        return found;
      },
      () => `no line ${pattern}; ${this.#account()}`,
    );
  }

  /** Sends a signal to this one process. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exitCode !== undefined || this.#child.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), this.#grace);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    clearTimeout(timer);
  }

  #account(): string {
    const state = this.#exitCode === undefined ? "it is running" : `it ended with ${this.#exitCode}`;
    return `${state}, printed:\n${this.lines.join("\n")}\nand on standard error:\n${this.errors}`;
  }
}
