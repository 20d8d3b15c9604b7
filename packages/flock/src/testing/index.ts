/**
 * Test helpers: a fake clock, expectations with reports, a scripted model, and recordings of events for replays. Works
 * with any test framework.
 *
 * @packageDocumentation
 */
export {
  type ExpectOptions,
  type ExpectRunOptions,
  expectNothingPublished,
  expectPublished,
  expectRun,
} from "./expect-published.ts";
export { type FakeClock, type FakeClockOptions, fakeClock } from "./fake-clock.ts";
export { type LiveRecordOptions, Recording, type RecordOptions, readRecording, record } from "./recording.ts";
export {
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  type ScriptedTurn,
  scriptedModel,
} from "./scripted-model.ts";
export { type RecordingServer, type ServeRecordingOptions, serveRecording } from "./serve-recording.ts";
