// Run as the first process of new namespaces: makes a pod network and runs lazaret-init in it, behind the words given as
// JSON (`["setpriv", ...]`), with a directory of substitutes first on the search path. Prints how it ended.
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePodNetwork, POD_NETWORK } from '#cli/pod/network.ts';

/** How a run of lazaret-init ended, and what it left. */
export interface InitEnd {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** `mode uid gid` by file name, private directory. */
  readonly files: Readonly<Record<string, string>>;
  /** The same of the settings directory; the directory itself is `.`. */
  readonly settings: Readonly<Record<string, string>>;
}

const [dir = '', substitutes = '', words = '[]', changes = '{}'] = process.argv.slice(2);
const path = process.env.PATH ?? '';
writeFileSync(join(dir, 'net'), '');
makePodNetwork(join(dir, 'net'), [], path);
if (process.env.LAZARET_TEST_NO_IPV6_ROUTE === 'yes') {
  spawnSync('nsenter', [`--net=${join(dir, 'net')}`, 'ip', '-6', 'route', 'del', 'default']);
}
const program = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, '../../sidecar/init.ts'),
];
const env = {
  PATH: substitutes === '' ? path : `${substitutes}:${path}`,
  LAZARET_UID: '31313',
  LAZARET_GID: '42424',
  LAZARET_CA_DIR: join(dir, 'ca'),
  LAZARET_TRUST_DIR: join(dir, 'trust'),
  LAZARET_SETTINGS_DIR: join(dir, 'settings'),
  LAZARET_CONSTRAINTS: 'anthropic.com',
  LAZARET_RESOLVERS: POD_NETWORK.outer,
  ...(JSON.parse(changes) as Record<string, string>),
};
const command = [`--net=${join(dir, 'net')}`, '--', ...(JSON.parse(words) as string[]), ...program];
execFile('nsenter', command, { env, encoding: 'utf8' }, (error, stdout, stderr) => {
  const end: InitEnd = {
    status: error === null ? 0 : Number(error.code ?? 1),
    stdout,
    stderr,
    files: filesOf(join(dir, 'ca')),
    settings: filesOf(join(dir, 'settings'), ['.']),
  };
  process.stdout.write(JSON.stringify(end), () => process.exit(0));
});

function filesOf(folder: string, more: readonly string[] = []): Readonly<Record<string, string>> {
  try {
    const names = [...more, ...readdirSync(folder).sort()];
    return Object.fromEntries(
      names.map((name) => {
        const { mode, uid, gid } = statSync(join(folder, name));
        return [name, `${(mode & 0o7777).toString(8)} ${uid} ${gid}`];
      }),
    );
  } catch {
    return {};
  }
}
