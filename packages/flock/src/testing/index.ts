/**
 * What tests of a flock need: a clock that stands still. Works with any test framework.
 *
 * @packageDocumentation
 */
export { type FakeClock, type FakeClockOptions, fakeClock } from "./fake-clock.ts";
