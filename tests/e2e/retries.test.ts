import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { artifact, Flock } from "flock-ts";
import { DeadLettersComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { startServer } from "../support/server.ts";

const program = fileURLToPath(new URL("programs/retrying.ts", import.meta.url));

async function killed(server: RunningProgram): Promise<void> {
  server.signal("SIGKILL");
  await server.exit();
  await server[Symbol.asyncDispose]();
}

describe("process that is killed between two attempts", () => {
  it("leaves the next attempt to its successor, then a dead letter that can be retried", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");

    const first = new RunningProgram(["node", program, file, "begin"]);
    const begun = await first.line(/^attempt 1 of /);
    const id = begun.slice("attempt 1 of ".length);
    await first.line(/^waits/);
    await killed(first);

    const second = new RunningProgram(["node", program, file, "go on"]);
    await second.line(new RegExp(`^attempt 2 of ${id}`));
    await second.line(new RegExp(`^attempt 3 of ${id}`));
    await second.line(/^dead letters 1/);
    await killed(second);

    await using third = new RunningProgram(["node", program, file, "works"]);
    await third.line(new RegExp(`^dead ${id} after 3: the oven is cold`));
    await third.line(new RegExp(`^attempt 4 of ${id}`));
    await third.line(/^ended success/);
    await third.line(/^pizzas 1, dead letters 0/);
    expect(await third.exit()).toBe(0);
  }, 60_000);
});

describe("dead letters over HTTP", () => {
  const Order = artifact("Order", z.object({ n: z.int() }));

  it("are listed page by page, retried and discarded", async () => {
    const flock = new Flock();
    let isBroken = true;
    flock
      .agent("chef")
      .consumes(Order)
      .run(() => {
        if (isBroken) throw new Error("the oven is cold", { cause: new Error("no gas") });
      });
    await using server = await startServer({
      flock,
      components: [new DeadLettersComponent(), new WebSocketServerComponent()],
    });
    const ids = [];
    for (let n = 0; n < 3; n++) ids.push((await flock.publish(Order({ n }))).artifactId);
    await flock.runUntilIdle();
    interface Page {
      readonly dead_letters: { id: string; artifacts: string[]; error: { message: string } }[];
      readonly next_cursor: string | null;
    }
    const page = async (query = "") => (await (await server.get(`/api/plugin/dead_letters${query}`)).json()) as Page;
    const newest = await page("?limit=2&agent_id=chef");
    const oldest = await page(`?limit=2&agent_id=chef&cursor=${newest.next_cursor}`);
    const all = [...newest.dead_letters, ...oldest.dead_letters];
    expect(oldest.next_cursor).toBeNull();
    expect(all.flatMap(({ artifacts }) => artifacts).sort()).toEqual(ids.sort());
    expect(all[0]).toMatchObject({
      agent_id: "chef",
      attempts: 1,
      status: "error",
      error: {
        name: "Error",
        message: "the oven is cold",
        stack: expect.stringContaining("retries.test.ts"),
        cause: { name: "Error", message: "no gas", stack: expect.any(String) },
      },
      missing: 0,
    });

    isBroken = false;
    const at = (id: string | undefined, path = "") => `${server.url}/api/plugin/dead_letters/${id}${path}`;
    const [a, b, c] = all.map(({ id }) => id);
    const again = await fetch(at(a, "/retry"), { method: "POST" });
    expect(again.status).toBe(200);
    const retried = (await again.json()) as { run_id: string; seq: number };
    expect(retried).toMatchObject({ attempt: 2 });
    const discarded = (await (await fetch(at(b), { method: "DELETE" })).json()) as { seq: number };
    const told = (await (await server.get(`/plugin/events?types=dead_letter_closed`)).json()) as { events: unknown[] };
    expect(told.events).toMatchObject([
      { seq: retried.seq, activation_id: a, agent_id: "chef", status: "retried", run_id: retried.run_id },
      { seq: discarded.seq, activation_id: b, agent_id: "chef", status: "discarded" },
    ]);
    await flock.runUntilIdle();
    expect((await page()).dead_letters.map(({ id }) => id)).toEqual([c]);
    for (const [path, method] of [
      [at(a, "/retry"), "POST"],
      [at(b), "DELETE"],
    ] as const) {
      const answer = await fetch(path, { method });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { code: "not_found" } });
    }
    expect((await server.get("/api/plugin/dead_letters?limit=0")).status).toBe(400);
  });

  it("report inputs that retention has dropped, and cannot be retried without them", async () => {
    await using folder = await temporaryFolder();
    const store = sqliteStore(join(folder.path, "flock.db"));
    await using flock = await Flock.open({ store });
    flock
      .agent("chef")
      .consumes(Order)
      .run(() => {
        throw new Error("the oven is cold");
      });
    await flock.publish(Order({ n: 1 }));
    await flock.runUntilIdle();
    await flock.shutdown();
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(store.path);
    db.exec("DELETE FROM artifacts");
    db.close();

    await using later = await Flock.open({ store: sqliteStore(store.path) });
    later
      .agent("chef")
      .consumes(Order)
      .run(() => {});
    const [letter] = await later.deadLetters();
    expect(letter).toMatchObject({ artifacts: [], missing: 1 });
    await expect(later.retryDeadLetter(letter?.id ?? "")).rejects.toMatchObject({ code: "not_found" });
    await later.discardDeadLetter(letter?.id ?? "");
    expect(await later.deadLetters()).toEqual([]);
  });
});
