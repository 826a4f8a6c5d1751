/** Releases locks and private folders when a run ends early: on `process.exit()` and on the signals that end a program. */
const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const held = new Set<() => void>();

function giveBackAll(): void {
  for (const giveBack of held) giveBack();
  held.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  giveBackAll();
  stopListening();
  // The signal then ends the program as if there were no handler, unless the program has another handler.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function stopListening(): void {
  process.off("exit", giveBackAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/**
 * Calls a function if the process ends before the returned function is called. Handlers for exit and signals exist only as long
 * as they are needed.
 * @param giveBack a synchronous function that must not throw
 * @returns a function that cancels the call
 */
export function givenBackAtExit(giveBack: () => void): () => void {
  if (held.size === 0) {
    process.on("exit", giveBackAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  held.add(giveBack);
  return () => {
    if (held.delete(giveBack) && held.size === 0) stopListening();
  };
}
