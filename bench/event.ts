/** Words for texts: an event has about 300 bytes on the wire, a few words of which are streamed text. */
const WORDS =
  "every agent says which artifacts wake it and what it publishes so the work flows from types while people watch".split(
    " ",
  );

/** Returns the n-th event's text with its time (ms since the epoch, µs precision; processes share the clock). */
export function textOf(n: number): string {
  return `#${n}@${now().toFixed(3)}#${WORDS[n % WORDS.length]} ${WORDS[(n * 7 + 3) % WORDS.length]} `;
}

/** Returns the time in the format of `textOf`. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Returns the workflow of the n-th event, when there are several. */
export function workflowOf(n: number): string {
  return `workflow-${n}`;
}

/** Returns the event that Flock creates for a streamed text, so that all peers send the same bytes. */
export function eventOf(n: number, content: string) {
  return {
    type: "streaming_output",
    seq: n,
    timestamp: new Date().toISOString(),
    agent_id: "writer",
    run_id: "5f0c2d2e-0b3f-4f6e-9b6b-2f8e8f2b7c11",
    correlation_id: "a1f7a0fb-53b4-4a6e-8f2f-8e1b7ad0cb6f",
    content,
    is_complete: false,
    offset: n * 40,
    output_type: "text",
  };
}

const HASH = 35;
const AT = 64;

/** Finds numbers and times in events at half a million per second, without creating strings. */
export class EventReader {
  /** Offset of the text in the last event, which is most likely the same in the next one. */
  #hint = 0;
  #timeStart = 0;

  /** Returns the number of the event in `data` from `start` to `end`; -1 for other messages. */
  numberIn(data: Buffer, start: number, end: number): number {
    const n = this.#numberAt(data, start + this.#hint, end);
    if (n >= 0) return n;
    const found = data.indexOf(HASH, start);
    if (found < 0 || found >= end) return -1;
    this.#hint = found - start;
    return this.#numberAt(data, found, end);
  }

  /** Returns the time of the event that `numberIn` read last. */
  timeIn(data: Buffer): number {
    return Number(data.toString("latin1", this.#timeStart, data.indexOf(HASH, this.#timeStart)));
  }

  #numberAt(data: Buffer, from: number, end: number): number {
    if (from >= end || data[from] !== HASH) return -1;
    let n = 0;
    for (let at = from + 1; at < end; at++) {
      const digit = (data[at] as number) - 48;
      if (data[at] === AT && at > from + 1) {
        this.#timeStart = at + 1;
        return n;
      }
      if (digit < 0 || digit > 9) return -1;
      n = n * 10 + digit;
    }
    return -1;
  }
}
