/** Handles the answers and failures of one source: a failure is reported, and the run continues with the other sources. */
import { FeedkeyError } from "../error.ts";
import type { Answer } from "../keyserver/answer.ts";
import { blocksIn } from "../keyserver/ask-all.ts";
import { unreadable } from "../keyserver/hkp.ts";
import type { Reporter, Session } from "./session.ts";

/**
 * Warns that a source failed. If the error is a bug, its stack becomes a note, which `--debug` shows.
 * @param what the failure in words, such as "the key bundle could not be read"; the reason follows these words
 */
export function tellFailure(reporter: Reporter, what: string, error: unknown): void {
  reporter.warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  noteBug(reporter, error);
}

/** Notes the stack of an error that is a bug; ignores other errors. */
export function noteBug(reporter: Reporter, error: unknown): void {
  if (error instanceof FeedkeyError && error.code !== "internal") return;
  const bug = error instanceof FeedkeyError ? (error.cause ?? error) : error;
  reporter.note(bug instanceof Error ? (bug.stack ?? bug.message) : String(bug));
}

function takeInOne(session: Pick<Session, "knowledge">, answer: Answer): Answer {
  try {
    session.knowledge.addBlocks(blocksIn([answer]));
    return answer;
  } catch (error) {
    return { outcome: "unknown", error: unreadable("a key server's answer", error) };
  }
}

/**
 * Adds the answers from servers to what the client knows.
 * @returns the answers; an answer that could not be used is now `unknown`, so that it does not count as a check
 */
export function takeIn(session: Pick<Session, "knowledge">, answers: readonly Answer[]): Answer[] {
  try {
    session.knowledge.addBlocks(blocksIn(answers));
    return [...answers];
  } catch {
    // One of the answers caused the error. The other answers must still count, so each is added separately.
    return answers.map((answer) => takeInOne(session, answer));
  }
}
