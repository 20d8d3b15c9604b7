import type {
  AnswerRequest,
  CancelRequest,
  CancelResult,
  GraphSnapshot,
  InvokeRequest,
  InvokeResult,
  OpenQuestion,
  PauseRequest,
  PauseResult,
  PreviewResult,
  Principal,
  PublishRequest,
  PublishResult,
} from "@flock-ts/protocol";

/**
 * The commands of the wire, executed on behalf of a principal. `seq` is the newest event that shows the effect.
 * Every transport (HTTP, WebSocket, MCP) goes through this interface.
 */
export interface Commands {
  publish(request: PublishRequest, as: Principal): Promise<{ seq: number; result: PublishResult }>;
  invoke(request: InvokeRequest, as: Principal): Promise<{ seq: number; result: InvokeResult }>;
  cancel(request: CancelRequest, as: Principal): Promise<{ seq: number; result: CancelResult }>;
  answer(questionId: string, request: AnswerRequest, as: Principal): Promise<{ seq: number; result: PublishResult }>;
  pause(request: PauseRequest, as: Principal): Promise<{ seq: number; result: PauseResult }>;
  resume(request: PauseRequest, as: Principal): Promise<{ seq: number; result: PauseResult }>;
  /** Returns what publishing would do; changes nothing. */
  preview(request: PublishRequest, as: Principal): Promise<PreviewResult>;
  /** Returns the open questions that the principal may see, oldest first. */
  questions(as: Principal): OpenQuestion[];
  graph(as: Principal): GraphSnapshot;
}

/** The {@link Commands} of one principal. */
export type ScopedCommands = {
  [Name in keyof Commands]: Commands[Name] extends (...args: [...infer Request, Principal]) => infer Result
    ? (...args: Request) => Result
    : never;
};
