import { parseHost } from '#contract/host.ts';

/** Where a name (or an address) of the outside is served, dialled from the caller's network. */
export interface Upstream {
  /** A host name in normal form, or an address literal. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/** The options of `npm run pod`. Paths are as given. */
export interface PodOptions {
  readonly policy?: string;
  readonly upstreams: readonly Upstream[];
  readonly upstreamCa?: string;
  readonly store?: string;
  readonly keys?: string;
  readonly metrics?: string;
  readonly spool?: string;
  readonly log?: string;
  readonly monitor: boolean;
  readonly uid: number;
  readonly command: readonly [string, ...string[]];
}

const POD_USAGE =
  'usage: npm run pod -- [--policy FILE] [--upstream HOST=ADDRESS:PORT]... [--upstream-ca FILE] [--store DIR] [--keys DIR] ' +
  '[--metrics FILE] [--spool DIR] [--log FILE] [--monitor] [--uid N] -- COMMAND...';

const FILES = {
  '--policy': 'policy',
  '--upstream-ca': 'upstreamCa',
  '--store': 'store',
  '--keys': 'keys',
  '--metrics': 'metrics',
  '--spool': 'spool',
  '--log': 'log',
} as const;

/** Either the options or one sentence about what is wrong with them. */
export type ParsedOptions =
  | { readonly ok: true; readonly options: PodOptions }
  | { readonly ok: false; readonly fault: string };

/** Reads the command line up to `--`; what follows is COMMAND and is not looked at. */
export function parseOptions(argv: readonly string[]): ParsedOptions {
  const end = argv.indexOf('--');
  const [program, ...args] = end < 0 ? [] : argv.slice(end + 1);
  if (program === undefined) return fault('no COMMAND: put it behind "--"');
  const given = { upstreams: [] as Upstream[], monitor: false, uid: 1000, files: {} as Record<string, string> };
  const rest = argv.slice(0, end);
  while (rest.length > 0) {
    const [name, joined] = splitOnce(rest.shift() ?? '', '=', '--');
    if (name === '--monitor' && joined === undefined) {
      given.monitor = true;
      continue;
    }
    const value = joined ?? rest.shift();
    if (value === undefined) return fault(`${name} wants a value`);
    const problem = take(given, name, value);
    if (problem !== null) return fault(problem);
  }
  const { files, ...others } = given;
  return { ok: true, options: { ...others, ...files, command: [program, ...args] } };
}

interface Given {
  readonly upstreams: Upstream[];
  readonly files: Record<string, string>;
  uid: number;
}

/** @returns what is wrong, or null */
function take(given: Given, name: string, value: string): string | null {
  if (name === '--upstream') {
    const upstream = parseUpstream(value);
    if (upstream === null) return '--upstream wants HOST=ADDRESS:PORT (an IPv6 address in brackets)';
    given.upstreams.push(upstream);
    return null;
  }
  if (name === '--uid') {
    if (!/^\d{1,10}$/.test(value) || Number(value) >= 2 ** 32 - 1) return '--uid wants a number';
    given.uid = Number(value);
    return null;
  }
  if (!Object.hasOwn(FILES, name)) return `${name === '' ? 'an empty option' : name} is not an option`;
  if (value === '') return `${name} wants a path`;
  given.files[FILES[name as keyof typeof FILES]] = value;
  return null;
}

function parseUpstream(text: string): Upstream | null {
  const match = /^([^=]+)=(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const named = match?.[1] ?? '';
  const host = parseHost(named) ?? (/^[0-9.]+$|^[0-9a-f]*:[0-9a-f:.]+$/i.test(named) ? named : null);
  const address = match?.[2] ?? match?.[3];
  const port = Number(match?.[4] ?? 0);
  return host === null || address === undefined || port < 1 || port > 65_535 ? null : { host, address, port };
}

/** Splits `--name=value`; a word without the prefix or the separator stays whole. */
function splitOnce(text: string, separator: string, prefix: string): readonly [string, string?] {
  const at = text.startsWith(prefix) ? text.indexOf(separator) : -1;
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function fault(what: string): ParsedOptions {
  return { ok: false, fault: `${what}\n${POD_USAGE}` };
}
