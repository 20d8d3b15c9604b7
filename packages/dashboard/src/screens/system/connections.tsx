import type { ConnectionInfo } from "@flock-ts/protocol";
import { connectionsUrl, type DashboardConfig } from "../../connection/config.ts";
import { getJson } from "../../connection/rest.ts";
import { useSession } from "../../session/tab-session.ts";
import { clock, short } from "../../ui/format.ts";

/** The number of connections listed. */
const LISTED = 100;

/** The server's list of connections. */
export interface Connected {
  readonly connections: readonly ConnectionInfo[];
  readonly total: number;
}

/** Reads the connections from the server, the largest lag first. */
export function readConnections(config: DashboardConfig): Promise<Connected> {
  return getJson(`${connectionsUrl(config)}?limit=${LISTED}`);
}

/** The connections and their lags. */
export function Connections({ connections, total }: Connected) {
  const mine = useSession(({ connection }) => connection.connectionId);
  return (
    <section aria-label="Connections">
      <h2 className="mb-2 text-sm font-medium text-soft">
        Connections{total > connections.length && `, the ${connections.length} furthest behind of ${total}`}
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div tabIndex={0} className="overflow-x-auto rounded-xl border border-line bg-card">
        <table className="w-full min-w-xl text-left text-sm tabular-nums">
          <thead className="text-xs text-soft">
            <tr>
              {["Client", "From", "Since", "Filter", "State", "Behind", "Unsent"].map((name) => (
                <th key={name} scope="col" className="px-3 py-2 font-medium whitespace-nowrap">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {connections.map((each) => (
              <tr key={each.connection_id} className="border-t border-line">
                <th scope="row" title={each.connection_id} className="px-3 py-2 font-mono text-xs font-normal">
                  {short(each.connection_id)}
                  {each.connection_id === mine && <span className="ml-2 font-sans text-accent">this browser</span>}
                </th>
                <td className="px-3 py-2">
                  {each.from ?? "closed"}
                  {each.principal !== undefined && ` as ${each.principal}`}
                </td>
                <td className="px-3 py-2">{clock(each.connected_at).slice(0, 8)}</td>
                <td className="px-3 py-2">{wanted(each)}</td>
                <td className={`px-3 py-2 ${each.live ? "text-good" : "text-busy"}`}>
                  {each.live ? "live" : "catching up"}
                </td>
                <td className="px-3 py-2">{each.lag.toLocaleString("en")} events</td>
                <td className="px-3 py-2">{Math.ceil(each.unsent_bytes / 1024).toLocaleString("en")} KiB</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Describes the filter of a connection. */
function wanted({ filter, encoding }: ConnectionInfo): string {
  const { types, agents, artifact_types, correlation_id, run_id } = filter;
  const parts = [
    types?.join(", "),
    agents && `of ${agents.join(", ")}`,
    artifact_types && `about ${artifact_types.join(", ")}`,
    correlation_id && `workflow ${short(correlation_id)}`,
    run_id && `run ${short(run_id)}`,
  ].filter(Boolean);
  const what = parts.length === 0 ? "everything" : parts.join("; ");
  if (encoding === "plain") return what;
  return `${what}, ${encoding === "deflated" ? "compressed" : "as Server-Sent Events"}`;
}
