import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@flock-ts/client";
import type { ArtifactPage, ErrorBody, FlockEvent, OpenQuestions, PublishResult } from "@flock-ts/protocol";
import { artifact, Flock, visibility } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

const Article = artifact("Article", z.object({ title: z.string() }));
const Approval = artifact("Approval", z.object({ ok: z.boolean(), note: z.string().min(3).optional() }));
const Outcome = artifact("Outcome", z.object({ title: z.string(), ok: z.boolean() }));

/** Creates a server with an editor that asks before each article. */
async function newsroom() {
  const flock = new Flock();
  flock
    .agent("editor")
    .consumes(Article)
    .publishes(Outcome)
    .run(async ({ Article: { title } }, ctx) => {
      const { ok } = await ctx.askPerson(Approval, { question: `Publish ${title}?`, details: { title } });
      return Outcome({ title, ok });
    });
  return startServer({ flock, dashboard: true });
}

const openAt = async (url: string) =>
  ((await (await fetch(`${url}/api/plugin/questions`)).json()) as OpenQuestions).questions;

async function answerAt(url: string, id: string, payload: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/api/plugin/questions/${id}/answer`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ payload }),
  });
  return { status: response.status, body: await response.json() };
}

describe("question over HTTP", () => {
  it("is listed with the answer's schema, and the answer resumes exactly the run that asked", async () => {
    await using server = await newsroom();
    const { flock, url } = server;
    const events: FlockEvent[] = [];
    const client = connect(server.ws(), { since: 0 });
    client.on("event", (event) => void events.push(structuredClone(event)));
    await flock.publish([Article({ title: "A" }), Article({ title: "B" })]);
    await expect.poll(() => openAt(url)).toHaveLength(2);
    const [a, b] = await openAt(url);
    expect(b).toMatchObject({
      question: "Publish B?",
      details: { title: "B" },
      answer_type: "Approval",
      answer_schema: { type: "object", required: ["ok"] },
      asked_by: "editor",
    });
    const { status, body } = await answerAt(url, b!.id, { ok: true });
    expect(status).toBe(200);
    const { artifact_id, correlation_id } = body as PublishResult;
    expect(correlation_id).toBe(b!.correlation_id);
    await expect.poll(() => flock.store.getByType(Outcome)).toEqual([{ title: "B", ok: true }]);
    expect((await openAt(url)).map(({ id }) => id)).toEqual([a!.id]);
    await expect.poll(() => events.filter(({ type }) => type === "agent_execution_completed")).toHaveLength(1);
    expect(events.filter(({ type }) => type === "question_closed")).toMatchObject([
      { question_id: b!.id, run_id: b!.run_id, answer_id: artifact_id, status: "answered", answered_by: "owner" },
    ]);
    expect(flock.stats().runs).toMatchObject({ success: 1, running: 1 });
    client.close();
  });

  it("stays open after an invalid answer, whose invalid fields are named", async () => {
    await using server = await newsroom();
    const { flock, url } = server;
    await flock.publish(Article({ title: "A" }));
    await expect.poll(() => openAt(url)).toHaveLength(1);
    const [question] = await openAt(url);
    const { status, body } = await answerAt(url, question!.id, { ok: "yes", note: "x" });
    expect(status).toBe(400);
    const { error } = body as { error: ErrorBody };
    expect(error.code).toBe("invalid_payload");
    expect(error.issues?.map(({ path }) => path)).toEqual([["ok"], ["note"]]);
    expect(await openAt(url)).toEqual([question]);
    expect(await flock.store.getByType(Approval)).toEqual([]);
    expect((await answerAt(url, question!.id, { ok: false })).status).toBe(200);
    await expect.poll(() => flock.store.getByType(Outcome)).toEqual([{ title: "A", ok: false }]);
  });

  it("accepts one of ten concurrent answers", async () => {
    await using server = await newsroom();
    const { flock, url } = server;
    await flock.publish(Article({ title: "A" }));
    await expect.poll(() => openAt(url)).toHaveLength(1);
    const { id } = (await openAt(url))[0]!;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => answerAt(url, id, { ok: true, note: `by racer ${n}` })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(9);
    for (const { status, body } of refused) {
      expect(status).toBe(409);
      expect((body as { error: ErrorBody }).error).toMatchObject({
        code: "conflict",
        message: /was answered by owner at \d{4}-/,
      });
    }
    await expect.poll(() => flock.store.getByType(Outcome)).toHaveLength(1);
    expect(await flock.store.getByType(Approval)).toHaveLength(1);
  });

  it("with an unknown id is not found", async () => {
    await using server = await newsroom();
    expect(await openAt(server.url)).toEqual([]);
    const { status, body } = await answerAt(server.url, "nothing", { ok: true });
    expect(status).toBe(404);
    expect((body as { error: ErrorBody }).error).toMatchObject({
      code: "not_found",
      message: 'Unknown question: "nothing".',
    });
  });
});

/** Creates a newsroom with an open question, and a client of it. */
async function asked() {
  const server = await newsroom();
  await server.flock.publish(Article({ title: "A" }));
  await expect.poll(() => openAt(server.url)).toHaveLength(1);
  const [question] = await openAt(server.url);
  return { server, flock: server.flock, url: server.url, id: question!.id, workflow: question!.correlation_id };
}

describe("question over the WebSocket", () => {
  it("is answered with a command that is validated as over HTTP", async () => {
    const { server, flock, url, id, workflow } = await asked();
    await using _ = server;
    await using socket = await server.connect();
    const answer = (question_id: string, payload: unknown) =>
      socket.command({ id: Math.random(), type: "answer", question_id, payload });
    expect(await answer(id, { ok: "yes", note: "x" })).toMatchObject({
      ok: false,
      error: { code: "invalid_payload", issues: [{ path: ["ok"] }, { path: ["note"] }] },
    });
    expect(await openAt(url)).toHaveLength(1);
    const nowhere = { ok: false, error: { code: "not_found", message: 'Unknown question: "nothing".' } };
    expect(await answer("nothing", { ok: true })).toMatchObject(nowhere);
    expect(await socket.command({ id: 1, type: "answer", payload: {} })).toMatchObject({
      ok: false,
      error: { code: "invalid_message", issues: [{ path: ["question_id"] }] },
    });
    const reply = await answer(id, { ok: true });
    expect(reply).toMatchObject({ ok: true, result: { correlation_id: workflow } });
    const published = await socket.next("artifact_published", ({ artifact_type }) => artifact_type === "Approval");
    expect(published.seq).toBe(reply.seq);
    await expect.poll(() => flock.store.getByType(Outcome)).toEqual([{ title: "A", ok: true }]);
    expect(await answer(id, { ok: true })).toMatchObject({ ok: false, error: { code: "conflict" } });
  });

  it("accepts one of the concurrent answers over HTTP and WebSocket", async () => {
    const { server, flock, url, id } = await asked();
    await using _ = server;
    const clients = Array.from({ length: 5 }, () => connect(server.ws()));
    await Promise.all(clients.map((client) => client.ping()));
    const outcomes = await Promise.all([
      ...clients.map((client, n) =>
        client.answer(id, { payload: { ok: true, note: `by socket ${n}` } }).then(
          () => "answered",
          ({ code }) => code,
        ),
      ),
      ...clients.map(async (_, n) => {
        const { status, body } = await answerAt(url, id, { ok: true, note: `by post ${n}` });
        return status === 200 ? "answered" : (body as { error: ErrorBody }).error.code;
      }),
    ]);
    expect(outcomes.toSorted()).toEqual(["answered", ...Array(9).fill("conflict")]);
    await expect.poll(() => flock.store.getByType(Outcome)).toHaveLength(1);
    expect(await flock.store.getByType(Approval)).toHaveLength(1);
    for (const client of clients) client.close();
  });

  it("returns the first result for a repeated idempotency key of the same principal, over either transport", async () => {
    const { server, flock, url, id } = await asked();
    await using _ = server;
    const client = connect(server.ws());
    const request = { payload: { ok: true }, idempotency_key: "kim-17" };
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => client.answer(id, request)));
    expect(others).toEqual([first, first, first]);
    const response = await fetch(`${url}/api/plugin/questions/${id}/answer`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    expect(await response.json()).toEqual(first);
    expect(await flock.store.getByType(Approval)).toHaveLength(1);
    await expect(client.answer(id, { ...request, idempotency_key: "kim-18" })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(client.answer("nothing", request)).rejects.toMatchObject({ code: "not_found" });
    // A publish with the same key is independent.
    const other = await client.publish({
      artifact_type: "Article",
      payload: { title: "B" },
      idempotency_key: "kim-17",
    });
    expect(other.artifact_id).not.toBe(first!.artifact_id);
    client.close();
  });

  it("is answered only by principals that may see it", async () => {
    await using flock = new Flock();
    flock
      .agent("editor")
      .labels("desk")
      .consumes(Article)
      .publishes(Outcome)
      .run(async ({ Article: { title } }, ctx) =>
        Outcome({ title, ...(await ctx.askPerson(Approval, { question: "Go?" })) }),
      );
    const { url } = await flock.serve({
      port: 0,
      components: [new WebSocketServerComponent()],
      principal: ({ headers: { authorization: name = "anonymous" } }) => ({
        kind: "client",
        name,
        ...(name === "kim" ? { labels: ["desk"] } : {}),
      }),
    });
    await flock.publish(Article({ title: "A" }), { visibility: visibility.labelled("desk") });
    await expect.poll(() => flock.questions()).toHaveLength(1);
    const [{ id } = { id: "" }] = flock.questions();
    const as = (authorization: string) =>
      RecordingSocket.open(`${url.replace("http", "ws")}/plugin/ws`, { headers: { authorization } });
    await using kim = await as("kim");
    await using guest = await as("guest");
    const command = { id: 1, type: "answer", question_id: id, payload: { ok: true }, idempotency_key: "1" };
    expect(await guest.command(command)).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(await kim.command(command)).toMatchObject({ ok: true });
    // The key's owner decides, not knowledge of the key.
    expect(await guest.command({ ...command, id: 2 })).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(await kim.command({ ...command, id: 2 })).toMatchObject({ ok: true });
  });
});

describe("server that is killed while questions are open", () => {
  it("restores its questions, and each run ends once with its own answer", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    const program = fileURLToPath(new URL("programs/asking-server.ts", import.meta.url));
    const start = async () => {
      const server = new RunningProgram(["node", program, file]);
      return { server, url: `http://127.0.0.1:${(await server.line(/^port \d+/)).slice(5)}` };
    };
    const kill = async (server: RunningProgram) => {
      server.signal("SIGKILL");
      await server.exit();
      await server[Symbol.asyncDispose]();
    };
    const outcomesAt = async (url: string) =>
      ((await (await fetch(`${url}/api/v1/plugin/artifacts?type_names=Outcome`)).json()) as ArtifactPage).artifacts;

    let { server, url } = await start();
    for (const title of ["A", "B"]) {
      await fetch(`${url}/api/plugin/publish`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ artifact_type: "Article", payload: { title } }),
      });
      await expect.poll(async () => (await openAt(url)).map(({ question }) => question)).toContain(`Publish ${title}?`);
    }
    const asked = await openAt(url);
    const [a, b] = asked;
    await kill(server);

    ({ server, url } = await start());
    expect(await openAt(url)).toEqual(asked);
    // The answer is durable once acknowledged, even if the process dies before the run resumes.
    expect((await answerAt(url, b!.id, { ok: false })).status).toBe(200);
    await kill(server);

    ({ server, url } = await start());
    await using last = server;
    await expect
      .poll(async () => (await outcomesAt(url)).map(({ payload }) => payload))
      .toMatchObject([{ title: "B", ok: false }]);
    expect((await openAt(url)).map(({ id }) => id)).toEqual([a!.id]);
    expect((await answerAt(url, b!.id, { ok: true })).status).toBe(409);
    expect((await answerAt(url, a!.id, { ok: true })).status).toBe(200);
    await expect
      .poll(async () => (await outcomesAt(url)).map(({ payload }) => payload))
      .toMatchObject([
        { title: "A", ok: true, attempt: 3 },
        { title: "B", ok: false },
      ]);
    const questions = await fetch(`${url}/api/v1/plugin/artifacts?type_names=PersonQuestion`);
    expect(((await questions.json()) as ArtifactPage).total).toBe(2);
    expect(last.exitCode).toBeUndefined();
  });
});
