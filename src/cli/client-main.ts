/** The client part's command line: the same commands, without those of the archive's side (build/client-part.mjs). */
import { clientCommands } from "./commands.ts";
import { mainOf } from "./main.ts";

export const main = mainOf(clientCommands);
