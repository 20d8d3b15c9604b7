import type { DeadLetterRecord, FlockEvent, RunState } from "@flock/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { Refusal } from "../live/config.ts";
import { onNews } from "../live/news.ts";
import { useLive } from "../live/store.ts";
import { readLetters } from "./commands.ts";

/** Letters of a page. */
const PAGE = 50;
/** The most that the server gives at once. */
const MOST = 500;

/** Dead letters as the server has them now, whatever seq is shown; read anew when there are others. */
export function useDeadLetters(agent: string | undefined) {
  const config = useLive(({ config, file }) => (file === null ? config : null));
  const [letters, setLetters] = useState<readonly DeadLetterRecord[]>();
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<string>();
  const shown = useRef(PAGE);
  useEffect(() => {
    if (!config) return;
    let newest = 0;
    shown.current = PAGE;
    setLetters(undefined);
    const read = () => {
      const mine = ++newest;
      readLetters({ agent, limit: Math.min(MOST, shown.current) }).then(
        ({ dead_letters, next_cursor }) => {
          if (mine !== newest) return;
          setLetters(dead_letters);
          setCursor(next_cursor);
          setError(undefined);
        },
        (reason: Error) => mine === newest && setError(wordsOf(reason)),
      );
    };
    const stop = onNews(concernsLetters, read);
    return () => {
      newest = -1;
      stop();
    };
  }, [config, agent]);
  const more = useCallback(() => {
    readLetters({ agent, cursor, limit: PAGE }).then(
      ({ dead_letters, next_cursor }) => {
        shown.current += PAGE;
        setLetters((before = []) => [...before, ...dead_letters]);
        setCursor(next_cursor);
      },
      (reason: Error) => setError(wordsOf(reason)),
    );
  }, [agent, cursor]);
  return { letters, error, more: cursor === null ? undefined : more };
}

/** The dead letter that a failed run has become; undefined when it is none, or none any more. */
export function useDeadLetterOf(run: RunState | undefined): DeadLetterRecord | undefined {
  const [letter, setLetter] = useState<DeadLetterRecord>();
  const config = useLive(({ config, file }) => (file === null ? config : null));
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
    const stop = onNews(concernsLetters, read);
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
