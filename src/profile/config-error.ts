/** Errors of configuration files, each with the file and the line. */
import { FeedkeyError } from "../error.ts";

/** Makes an error at a line, counted from 1, of the file that is being read. */
export type ErrorAt = (line: number, problem: string, hint?: string) => FeedkeyError;

/** Makes errors of one file. @param file named in each message */
export function errorsOf(code: "bad_profile" | "bad_config", file: string): ErrorAt {
  return (line, problem, hint) =>
    new FeedkeyError(code, `${file}:${line}: ${problem}`, { details: { file, line }, hint });
}
