/** The statistics of a hub. Counters start with the hub. */
export interface HubStats {
  /** Connected clients. */
  readonly connections: number;
  /** Connected clients that are behind: slow, or in a replay. */
  readonly lagging: number;
  /** Events sent, counted per client. */
  readonly deliveries: number;
  /** Bytes written to sockets. */
  readonly bytesSent: number;
  /** The largest lag of a client, in events. */
  readonly maxLag: number;
  /** Commands received, including refused ones. */
  readonly commands: number;
}
