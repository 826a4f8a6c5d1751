/** The command line of the client part of feedkey, which has only the commands for clients (build/client-part.mjs). */
import { clientCommands } from "./commands.ts";
import { mainOf } from "./main.ts";

export const main = mainOf(clientCommands);
