/** Releases locks and removes private folders and temporary files if a run ends early, on `process.exit()` or because of a signal. */
const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const held = new Set<() => void>();

function giveBackAll(): void {
  for (const giveBack of held) giveBack();
  held.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  giveBackAll();
  stopListening();
  // If the program has no other handler, the signal is sent again, and ends the program as usual.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function stopListening(): void {
  process.off("exit", giveBackAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/**
 * Registers a function that is called if the process ends early. Installs handlers for exit and signals only while functions
 * are registered.
 * @param giveBack the function to call; it must be synchronous and must not throw
 * @returns a function that cancels the registration
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
