/** About 300 bytes an event on the wire, of which a few words are the text that an agent streams. */
const WORDS =
  "every agent says which artifacts wake it and what it publishes so the work flows from types while people watch".split(
    " ",
  );

/** The n-th event's text, with the time it was made (ms since the epoch, to a µs; processes share the clock). */
export function textOf(n: number): string {
  return `#${n}@${now().toFixed(3)}#${WORDS[n % WORDS.length]} ${WORDS[(n * 7 + 3) % WORDS.length]} `;
}

/** The time as `textOf` writes it. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** The workflow that the n-th event belongs to, where there are several. */
export function workflowOf(n: number): string {
  return `workflow-${n}`;
}

/** The event that Flock makes of a streamed text, for the peers to send: the same bytes for all. */
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

/** Finds the numbers and times in events: half a million of them a second, so without making a string of each. */
export class EventReader {
  /** Where the text began in the last event: in the next one it most likely does, too. */
  #hint = 0;
  #timeStart = 0;

  /** The number of the event in `data` from `start` to `end`; -1 where it is another message. */
  numberIn(data: Buffer, start: number, end: number): number {
    const n = this.#numberAt(data, start + this.#hint, end);
    if (n >= 0) return n;
    const found = data.indexOf(HASH, start);
    if (found < 0 || found >= end) return -1;
    this.#hint = found - start;
    return this.#numberAt(data, found, end);
  }

  /** When the event was made that `numberIn` has just read. */
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
