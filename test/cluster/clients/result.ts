/** What one scenario of a client printed. */
export interface ClientResult {
  readonly name: string;
  /** What the model said, what was refused, or why there was no answer. */
  readonly text: string;
  /** No HTTP answer came. */
  readonly failed: boolean;
}

/** A line as the programs print it: SDKs give a value, others a body, in base64 where the language has no JSON. */
interface Line {
  readonly name: string;
  readonly unchanged?: boolean;
  readonly status?: number | null;
  readonly value?: string;
  readonly body?: string;
  readonly body64?: string;
  readonly error?: string;
  readonly error64?: string;
}

/** Reads what a client printed: one JSON line a scenario, between lines of its runtime. */
export function readResults(printed: string): readonly ClientResult[] {
  return printed
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => readLine(JSON.parse(line) as Line));
}

function readLine({ name, unchanged, status, value, body, body64, error, error64 }: Line): ClientResult {
  if (unchanged !== undefined) return { name, text: unchanged ? 'unchanged' : 'changed', failed: false };
  if (value !== undefined) return { name, text: value, failed: false };
  const raw = body ?? decode(body64);
  if (raw !== undefined) return { name, text: readBody(raw), failed: false };
  return { name, text: error ?? decode(error64) ?? '', failed: typeof status !== 'number' };
}

const decode = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');

interface Answer {
  readonly content?: readonly { readonly text: string }[];
  readonly choices?: readonly { readonly message?: Said; readonly delta?: Said }[];
  readonly delta?: { readonly text?: string };
}
interface Said {
  readonly content?: string;
}

/** @returns what the model said in either dialect, plain or streamed; any other body as it is */
function readBody(body: string): string {
  if (body.startsWith('{')) return textOf(JSON.parse(body) as Answer) ?? body;
  const events = body.split('\n').filter((line) => line.startsWith('data: {'));
  if (events.length === 0) return body;
  return events.map((line) => textOf(JSON.parse(line.slice('data: '.length)) as Answer) ?? '').join('');
}

function textOf({ content, choices, delta }: Answer): string | undefined {
  if (content !== undefined) return content.map(({ text }) => text).join('');
  if (choices !== undefined) return choices.map((choice) => (choice.message ?? choice.delta)?.content ?? '').join('');
  return delta?.text;
}
