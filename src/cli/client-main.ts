/** The command line of the client part: only the commands for clients (build/client-part.mjs). */
import { clientCommands } from "./commands.ts";
import { mainOf } from "./main.ts";

export const main = mainOf(clientCommands);
