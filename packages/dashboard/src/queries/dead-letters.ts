import type { DeadLetterPage, DeadLetterRecord, FlockEvent, RunState } from "@flock-ts/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { getJson, Refusal } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";
import { refetchOn } from "./invalidation.ts";

/** Dead letters per page. */
const PAGE = 50;
/** The server's limit. */
const MOST = 500;

/** Reads a page of dead letters, newest first. @throws as `getJson` does. */
export function readLetters({ agent, workflow, cursor, limit }: LettersQuery): Promise<DeadLetterPage> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (agent) query.set("agent_id", agent);
  if (workflow) query.set("correlation_id", workflow);
  if (cursor) query.set("cursor", cursor);
  return getJson<DeadLetterPage>(`${lettersUrl()}?${query}`);
}

/** Selects dead letters. */
export interface LettersQuery {
  readonly agent?: string | undefined;
  readonly workflow?: string | undefined;
  readonly cursor?: string | null | undefined;
  readonly limit: number;
}

/** Returns the address of the dead letter routes. */
export function lettersUrl(): string {
  const { config } = useSession.getState();
  return `${config?.deadLetters ?? config?.control ?? ""}/dead_letters`;
}

/**
 * Reads the current dead letters, regardless of the seq shown. Later ones are counted as `newer` and join `shown`
 * only on request, so that no button moves while you use it.
 */
export function useDeadLetters(agent: string | undefined) {
  const config = useSession(({ config, file }) => (file === null ? config : null));
  const [letters, setLetters] = useState<readonly DeadLetterRecord[]>();
  const [known, setKnown] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<string>();
  const asked = useRef(PAGE);
  useEffect(() => {
    if (!config) return;
    let newest = 0;
    asked.current = PAGE;
    setLetters(undefined);
    const read = () => {
      const mine = ++newest;
      readLetters({ agent, limit: Math.min(MOST, asked.current) }).then(
        ({ dead_letters, next_cursor }) => {
          if (mine !== newest) return;
          setLetters(dead_letters);
          setKnown((before) => (dead_letters.some(({ id }) => before.has(id)) ? before : idsOf(dead_letters)));
          setCursor(next_cursor);
          setError(undefined);
        },
        (reason: Error) => mine === newest && setError(wordsOf(reason)),
      );
    };
    const stop = refetchOn(concernsLetters, read);
    return () => {
      newest = -1;
      stop();
    };
  }, [config, agent]);
  const more = useCallback(() => {
    readLetters({ agent, cursor, limit: PAGE }).then(
      ({ dead_letters, next_cursor }) => {
        asked.current += PAGE;
        setLetters((before = []) => [...before, ...dead_letters]);
        setKnown((before) => new Set([...before, ...idsOf(dead_letters)]));
        setCursor(next_cursor);
      },
      (reason: Error) => setError(wordsOf(reason)),
    );
  }, [agent, cursor]);
  const shown = letters?.filter(({ id }) => known.has(id));
  return {
    letters,
    shown,
    newer: (letters?.length ?? 0) - (shown?.length ?? 0),
    showNewer: () => setKnown(idsOf(letters ?? [])),
    error,
    more: cursor === null ? undefined : more,
  };
}

function idsOf(letters: readonly DeadLetterRecord[]): ReadonlySet<string> {
  return new Set(letters.map(({ id }) => id));
}

/** Returns the dead letter of a failed run; undefined when it has none or it was resolved. */
export function useDeadLetterOf(run: RunState | undefined): DeadLetterRecord | undefined {
  const [letter, setLetter] = useState<DeadLetterRecord>();
  const config = useSession(({ config, file }) => (file === null ? config : null));
  const isFailed = (run?.status === "error" || run?.status === "timeout") && run.retry_at === undefined;
  const id = isFailed ? (run.activation_id ?? run.run_id) : undefined;
  const workflow = run?.correlation_id;
  useEffect(() => {
    setLetter(undefined);
    if (id === undefined || !config) return;
    let isCurrent = true;
    const read = () =>
      void readLetters({ workflow, limit: MOST }).then(
        ({ dead_letters }) => isCurrent && setLetter(dead_letters.find((one) => one.id === id)),
        () => {},
      );
    const stop = refetchOn(concernsLetters, read);
    return () => {
      isCurrent = false;
      stop();
    };
  }, [id, workflow, config]);
  return letter;
}

function concernsLetters(event: FlockEvent): boolean {
  if (event.type === "agent_execution_completed")
    return (event.status === "error" || event.status === "timeout") && event.retry_at === undefined;
  return event.type === "dead_letter_closed";
}

function wordsOf(reason: Error): string {
  return reason instanceof Refusal ? reason.message : "the server did not answer";
}
