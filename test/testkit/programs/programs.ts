/** The programs of others that tests talk to. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { presentOrSkip } from "./present.ts";

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * For `before`: skips the tests where a program is missing; with FEEDKEY_REQUIRE_PEERS=1 they fail instead.
 * @param programs names on the search path
 */
export function needing(...programs: readonly string[]): (this: Mocha.Context) => void {
  return function skipWithout() {
    const missing = programs.filter((program) => !isInstalled(program));
    presentOrSkip(this, missing.length === 0, `needs ${missing.join(", ")}`);
  };
}
