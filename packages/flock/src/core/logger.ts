/** Where a run writes what it has to say. Structural, so that pino and console both fit. */
export interface RunLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
