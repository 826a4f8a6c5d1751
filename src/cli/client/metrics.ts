/** Runs `status --prometheus`: prints metrics for the textfile collector of Prometheus's node exporter. */

/** A metric of the type gauge. Times are in seconds since 1970. */
export interface Metric {
  /** The metric's name without the prefix `feedkey_`. */
  readonly name: string;
  readonly help: string;
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>;
    /** The sample's value; feedkey does not print a sample whose value is null (unknown). */
    readonly value: number | null;
  }[];
}

function labelText(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Returns a time in RFC 3339 as seconds since 1970. */
export function seconds(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1000;
}

/** Returns metrics in Prometheus's text format. Leaves out metrics without samples. */
export function prometheus(metrics: readonly Metric[]): string {
  return metrics
    .flatMap(({ name, help, samples }) => {
      const lines = samples.flatMap(({ labels, value }) => {
        const pairs = Object.entries(labels).map(([label, text]) => `${label}="${labelText(text)}"`);
        return value === null ? [] : [`feedkey_${name}{${pairs.join(",")}} ${value}`];
      });
      return lines.length === 0 ? [] : [`# HELP feedkey_${name} ${help}`, `# TYPE feedkey_${name} gauge`, ...lines];
    })
    .join("\n");
}
