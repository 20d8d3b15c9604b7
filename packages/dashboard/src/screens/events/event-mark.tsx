import type { EventOf, EventType, FlockEvent } from "@flock-ts/protocol";
import {
  AlignLeft,
  Ban,
  Bot,
  Boxes,
  CircleAlert,
  CircleCheck,
  CirclePlay,
  Dot,
  Footprints,
  Hourglass,
  ListOrdered,
  MailX,
  MessageCircleQuestion,
  Network,
  Pause,
  Play,
  Unplug,
} from "lucide-react";
import { isFailure } from "../../timeline/failure.ts";

const ICONS: Readonly<Record<Exclude<EventType, "agent_execution_completed">, typeof Dot>> = {
  agent_execution_started: CirclePlay,
  streaming_output: AlignLeft,
  run_step_started: Footprints,
  run_step_completed: Footprints,
  artifact_published: Boxes,
  graph_updated: Network,
  agent_registered: Bot,
  gate_progress: Hourglass,
  question_closed: MessageCircleQuestion,
  dead_letter_closed: MailX,
  agent_paused: Pause,
  agent_resumed: Play,
  agent_queue_changed: ListOrdered,
  agent_circuit_changed: Unplug,
};

/** An icon for an event's type and a run's outcome. Its tooltip has the type as filters and programs name it. */
export function EventMark({ event }: { event: FlockEvent }) {
  const Icon = event.type === "agent_execution_completed" ? endOf(event) : (ICONS[event.type] ?? Dot);
  return (
    <span title={event.type} className={`shrink-0 ${colorOf(event) || "text-soft"}`}>
      <Icon size={14} aria-hidden="true" />
    </span>
  );
}

function endOf(event: EventOf<"agent_execution_completed">): typeof Dot {
  if (isFailure(event)) return CircleAlert;
  return event.status === "success" ? CircleCheck : Ban;
}

/** Failures are prominent. Streaming output, most of a log, is muted. */
export function colorOf(event: FlockEvent): string {
  if (event.type === "streaming_output") return "text-soft";
  if (event.type === "agent_execution_completed") {
    return isFailure(event) ? "text-bad" : event.status === "success" ? "text-good" : "text-soft";
  }
  return event.type === "artifact_published" ? "text-accent" : "";
}
