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
  // The signal then ends the program as if there were no handler, unless there is another one.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function stopListening(): void {
  process.off("exit", giveBackAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/**
 * Calls a function if the process ends before `forget` is called. Without such functions there are no handlers.
 * @param giveBack synchronous, and must not throw
 * @returns forget
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
