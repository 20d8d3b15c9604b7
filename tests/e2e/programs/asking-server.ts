// A server whose editor asks a person before each article. Arguments: file and port.
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = "", port = "0"] = process.argv.slice(2);
const Article = artifact("Article", z.object({ title: z.string() }));
const Approval = artifact("Approval", z.object({ ok: z.boolean() }));
const Outcome = artifact("Outcome", z.object({ title: z.string(), ok: z.boolean(), attempt: z.int() }));

const flock = await Flock.open({ store: sqliteStore(file) });
flock.register(Approval);
flock
  .agent("editor")
  .consumes(Article)
  .publishes(Outcome)
  .run(async ({ Article: { title } }, ctx) => {
    const { ok } = await ctx.askPerson(Approval, { question: `Publish ${title}?` });
    return Outcome({ title, ok, attempt: ctx.attempt });
  });
const server = await flock.serve({ dashboard: true, port: Number(port) });
console.log(`port ${server.port}`);
