/** The progress bar for long tasks. */
import { SingleBar } from "cli-progress";
import { escapeText } from "../escape.ts";

/** A bar that appears at its first update and disappears when it stops. */
export function progressBar(
  label: string,
  total: number | undefined,
  stream: NodeJS.WriteStream,
): { update(done: number, total?: number): void; stop(): void } {
  const name = escapeText(label);
  const bar = new SingleBar({
    stream,
    barsize: 20,
    // Eighty columns hold the bar, numbers of bytes and this much of the name.
    format: `${name.length > 28 ? `${name.slice(0, 27)}…` : name} {bar} {percentage}% {value}/{total} {eta_formatted}`,
    clearOnComplete: true,
    hideCursor: true,
    // Short tasks show no bar.
    fps: 8,
  });
  let started = false;
  let known = total;
  return {
    update: (done, next) => {
      known = next ?? known;
      if (!started) bar.start(known ?? done, done);
      else bar.update(done);
      started = true;
      if (known !== undefined) bar.setTotal(known);
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}
