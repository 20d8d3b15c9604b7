import type { FastifyReply } from "fastify";

/** Sends JSON that is already text: neither validated nor serialized again. */
export function sendJson(reply: FastifyReply, json: string): void {
  void reply.type("application/json; charset=utf-8").send(json);
}
