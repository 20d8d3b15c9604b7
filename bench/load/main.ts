// The client process. It only reads frames, so that the server is what is measured.
import type { LoadCalls } from "../calls.ts";
import { answer } from "../child.ts";
import { Crowd } from "./crowd.ts";
import { GreedyClient } from "./greedy.ts";

const crowds = new Map<string, Crowd>();
let greedy: GreedyClient | undefined;

answer<LoadCalls>({
  join: async (joining) => {
    const crowd = new Crowd(joining);
    crowds.set(joining.crowd, crowd);
    await crowd.connect();
  },
  begin: (name) => crowdCalled(name).begin(),
  receive: (name, until, withinMs) => crowdCalled(name).receive(until, withinMs),
  stall: (name) => crowdCalled(name).stall(),
  read: (name) => crowdCalled(name).read(),
  drop: (name) => crowdCalled(name).drop(),
  comeBack: (name) => crowdCalled(name).connect(true),
  beGreedy: async (port, greed) => {
    greedy = new GreedyClient(greed);
    await greedy.begin(port);
  },
  endGreed: () => {
    if (!greedy) throw new Error("no greedy client was started");
    return greedy.end();
  },
});

function crowdCalled(name: string): Crowd {
  const crowd = crowds.get(name);
  if (!crowd) throw new Error(`unknown crowd \`${name}\``);
  return crowd;
}
