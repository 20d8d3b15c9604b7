// An MCP server on standard input and output. The argument selects its behaviour.
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { toolServer, toolState } from "../../support/mcp-server.ts";

const [behaviour = "well"] = process.argv.slice(2);
const state = toolState();
switch (behaviour) {
  case "silent":
    setInterval(() => {}, 60_000);
    break;
  case "dies":
    console.error("cannot open the database, token sk-ABCDEFGHIJKLMNOPQRSTUV");
    process.exit(3);
    break;
  case "rubbish":
    setInterval(() => process.stdout.write('{"jsonrpc":\nHello!\n\u0000\u0001\n[1,2]\n'), 5);
    break;
  case "noisy":
    // Not part of the protocol, but many servers print something at startup.
    process.stdout.write("Starting…\n");
    serveStdio(() => toolServer(state));
    break;
  default:
    serveStdio(() => toolServer(state), { legacy: behaviour === "modern" ? "reject" : "serve" });
}
