import type { Edge, Node } from "@xyflow/react";
import type { Flow } from "./flows.ts";
import type { DrawnNode, Frame } from "./grouping.ts";
import type { Layout } from "./layered.ts";
import type { Point } from "./node-positions.ts";

/** `home`: the layout's position of an agent within its frame. */
export type AgentNode = Node<{ drawn: DrawnNode; isOpen: boolean; home?: Point }, "agent">;
export type FrameNode = Node<{ frame: Frame }, "frame">;
export type AnyNode = AgentNode | FrameNode;
export type FlowEdge = Edge<
  { flow: Flow; line: Layout["flows"] extends ReadonlyMap<string, infer L> ? L : never },
  "flow"
>;
