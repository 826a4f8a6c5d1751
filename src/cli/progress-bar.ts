/** The bar that shows how far long work has come. */
import { SingleBar } from "cli-progress";
import { escapeText } from "../escape.ts";

/** A bar that shows itself with its first update, and is gone when it stops. */
export function progressBar(
  label: string,
  total: number | undefined,
  stream: NodeJS.WriteStream,
): { update(done: number, total?: number): void; stop(): void } {
  const bar = new SingleBar({
    stream,
    format: `${escapeText(label)} {bar} {percentage}% {value}/{total} {eta_formatted}`,
    clearOnComplete: true,
    hideCursor: true,
    // Short work shows nothing at all.
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
