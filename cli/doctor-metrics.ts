/** One sample of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** The samples of one metric in Prometheus' text format (version 0.0.4). Lines that are none are passed over. */
export function readGauges(text: string, name: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, found, labels = '', number = ''] = LINE.exec(line) ?? [];
    const value = Number(number);
    if (found !== name || Number.isNaN(value)) return [];
    return [
      {
        labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key = '', text_ = '']) => [key, text_])),
        value,
      },
    ];
  });
}
