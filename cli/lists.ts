import { randomBytes } from 'node:crypto';
import { ENTITIES, type Entity } from '#contract/entity.ts';
import { deriveListKey, type ListKey } from '#contract/list-key.ts';
import { type Arguments, parseArguments } from './arguments.ts';
import { type CommandIo, UsageError } from './io.ts';
import { createListBuilder, type ListBuilder } from './list-builder.ts';
import { readList } from './list-input.ts';

const HELP = `lazaret lists build FILE... --key FILE --out TABLE [--as KIND]

Turns your own patients, providers, facilities and numbers into a table that guards use: in a cluster from Secrets of the release
(lists.secrets), on one machine from files (LAZARET_LISTS, LAZARET_LISTS_KEY). docs/lists.md has the commands.
The table holds keyed hashes and no readable name.
  FILE       CSV with a header that names columns (given, family, name, facility, mrn, account, ...), or an entry a line
  --key      a secret of 32 characters or more; a file that does not exist is made (mode 0600). The sidecar needs the same
  --as KIND  what the lines are: patients, providers, facilities, numbers, or a kind of identifier (mrn, account, ...)
`;

const KINDS: Readonly<Record<string, Entity>> = {
  patients: 'name',
  providers: 'name',
  facilities: 'facility',
  numbers: 'mrn',
};
/** A file with more faults than this is wrong as a whole. */
const MAX_FAULTS = 20;
/** What a Kubernetes Secret holds. */
const SECRET_BYTES = 1024 * 1024;
/** Said on stderr each time so many entries were read. */
const PROGRESS = 200_000;

/** `lazaret lists`. @returns the exit code; @throws UsageError for wrong usage or input */
export async function lists(args: readonly string[], io: CommandIo): Promise<number> {
  const [action, ...rest] = args;
  if (action === '--help' || action === '-h' || rest.includes('--help')) {
    io.stdout(HELP);
    return 0;
  }
  if (action !== 'build') throw new UsageError('lazaret lists takes build: see lazaret lists --help');
  return build(parseArguments(rest, { key: 'value', out: 'value', as: 'value', json: 'switch' }), io);
}

async function build(given: Arguments, io: CommandIo): Promise<number> {
  const out = given.required('out');
  const keyFile = given.required('key');
  const entity = kindOf(given.value('as'));
  if (given.positionals.length === 0) throw new UsageError('lists build needs at least one FILE: see --help');
  const texts = await Promise.all(given.positionals.map(async (path) => [path, await readText(io, path)] as const));
  const builder = createListBuilder(await readKey(io, keyFile));
  const faults = texts.flatMap(([path, text]) => addAll(builder, io, { path, text, entity }));
  if (faults.length > 0) {
    const more = faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : [];
    throw new UsageError([...faults.slice(0, MAX_FAULTS), ...more, 'no table was written'].join('\n'));
  }
  const { bytes, header } = builder.finish();
  if (header.entries === 0) throw new UsageError('the files hold no entry; no table was written');
  await io.writeFile(out, bytes, 0o644);
  if (bytes.length > SECRET_BYTES)
    io.stderr(
      `lists: ${out} is larger than a Secret may be (${SECRET_BYTES} bytes): for a cluster put it into several, as docs/lists.md says\n`,
    );
  const said = Object.entries(header.entities).map(([kind, count]) => `${count} ${kind}`);
  io.stdout(
    given.has('json')
      ? `${JSON.stringify({ ...header, bytes: bytes.length })}\n`
      : `${out}: ${header.entries} entries (${said.join(', ')}), ${bytes.length} bytes\n`,
  );
  return 0;
}

function kindOf(name: string | undefined): Entity | null {
  if (name === undefined) return null;
  const kind = KINDS[name] ?? ENTITIES.find((entity) => entity === name);
  if (kind === undefined)
    throw new UsageError('--as takes patients, providers, facilities, numbers or a kind of identifier');
  return kind;
}

interface Source {
  readonly path: string;
  readonly text: string;
  readonly entity: Entity | null;
}

/** @returns one sentence for each line that cannot be taken, naming its number and never what it says */
function addAll(builder: ListBuilder, io: CommandIo, { path, text, entity }: Source): readonly string[] {
  const faults: string[] = [];
  let count = 0;
  for (const item of readList(text, entity)) {
    const problem = 'problem' in item ? item.problem : builder.add(item.value, item.entity);
    if (problem !== null) faults.push(`${path}: line ${item.line} ${problem}`);
    if (++count % PROGRESS === 0) io.stderr(`lists: ${count} entries of ${path}\n`);
  }
  return faults;
}

async function readText(io: CommandIo, path: string): Promise<string> {
  return io.readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read as UTF-8 text: name a file that exists, or convert it`);
  });
}

/** Reads the secret, or makes one where there is none: a table needs a key that nobody can guess. */
async function readKey(io: CommandIo, path: string): Promise<ListKey> {
  const text = await io.readFile(path).catch(async (fault: unknown) => {
    if (!(fault instanceof Error && 'code' in fault && fault.code === 'ENOENT'))
      throw new UsageError(`${path} cannot be read: name a file that you may read, or one that does not exist yet`);
    const secret = `${randomBytes(32).toString('base64url')}\n`;
    await io.writeFile(path, secret, 0o600);
    io.stderr(`lists: made the key ${path}; keep it secret, the sidecar needs it beside the table\n`);
    return secret;
  });
  const key = deriveListKey(text);
  if (key === null)
    throw new UsageError(`${path} is too short for a key: at least 32 characters, as openssl rand -base64 32 gives`);
  return key;
}
