/** Defines the commands that are not only for keepers or only for clients. */
import type { Command } from "commander";
import type { Main, Runner } from "./run.ts";

/**
 * Adds the commands init, serve, completion and demo to the program.
 * @param main the program itself, which the demo runs
 */
export function addOtherCommands(program: Command, run: Runner, main: Main, everyCommand: () => Command): void {
  program
    .command("init")
    .description("ask a few questions, and write the first files to publish an archive or to follow one")
    .action(
      run("init", async () => {
        const { init } = await import("./init.ts");
        return (context) => init(context);
      }),
    );
  program
    .command("serve <dir>")
    .description("serve an archive over HTTP, on this machine or in a local network")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; with 0, the system chooses a free port", "8080")
    .option(
      "--keyserver [dir]",
      "also run a key server below /pks/, which stores keys in DIR, or in memory without DIR",
    )
    .option("--access-log <file>", "append each request to a file, in the combined log format")
    .option("--tls-cert <file>", "serve over HTTPS with this certificate chain (a PEM file)")
    .option("--tls-key <file>", "secret key of the TLS certificate (a PEM file)")
    .action(run("serve", async () => (await import("./archive/serve.ts")).serve));
  addCompletion(program, run, main, everyCommand);
  program
    .command("demo")
    .description("show publishing, key rotation and refused attacks on a temporary archive")
    .action(
      run("demo", async () => {
        const { demo } = await import("./demo/demo.ts");
        return (context) => demo(context, main);
      }),
    );
}

/** Adds the command `completion` to the program. @param everyCommand makes a program with all commands */
export function addCompletion(program: Command, run: Runner, _main: Main, everyCommand: () => Command): void {
  program
    .command("completion <shell> [word...]")
    .description("print the completion script for bash, zsh or fish")
    .action(
      run("completion", async () => {
        const { completion } = await import("./completion/completion.ts");
        return (context, shell: string, words: string[]) => completion(context, shell, words, everyCommand());
      }),
    );
}
