/** How long user code may work before the event loop gets its turn, in ms. */
const MAX_WORK_MS = 5;

/** When the current turn of those that gave way began, by `performance.now`. */
let turnBegan = 0;
let nextTurn: Promise<void> | undefined;

/**
 * Keeps a loop over user code from blocking the event loop: a generator that yields without I/O would otherwise hold up
 * timers, sockets and all other runs until its end. All such loops share one turn, however many there are.
 */
export class TimeShare {
  #began = performance.now();

  /** Returns what to await before going on; undefined while there is time left. */
  giveWay(): Promise<void> | undefined {
    if (performance.now() - Math.max(this.#began, turnBegan) < MAX_WORK_MS) return undefined;
    nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        nextTurn = undefined;
        turnBegan = performance.now();
        resolve();
      });
    });
    return nextTurn.then(() => {
      this.#began = turnBegan;
    });
  }
}
