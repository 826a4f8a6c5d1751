/** Shows progress bars for long tasks. */
import { SingleBar } from "cli-progress";
import { escapeText } from "../escape.ts";

/** Makes a progress bar that appears at its first update and disappears when it stops. */
export function progressBar(
  label: string,
  total: number | undefined,
  stream: NodeJS.WriteStream,
): { update(done: number, total?: number): void; stop(): void } {
  const name = escapeText(label);
  const bar = new SingleBar({
    stream,
    barsize: 20,
    // A terminal with 80 columns has room for the bar, the numbers of bytes and at most 28 characters of the name.
    format: `${name.length > 28 ? `${name.slice(0, 27)}…` : name} {bar} {percentage}% {value}/{total} {eta_formatted}`,
    clearOnComplete: true,
    hideCursor: true,
    // With this low rate, short tasks end before the bar appears.
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
