// npm run bench: what the guard costs, in one table of one run.
import { mkdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { bundlePrograms, PROGRAMS } from '../tools/bundle.ts';
import { measureApart } from './apart.ts';
import { measureIdle, measureMemory, measureStream, SyncProbe } from './extras.ts';
import { makeMaterial } from './material.ts';
import { APART, type BenchOptions, parseOptions, RIVALS, USAGE } from './options.ts';
import { endProgram, pinned } from './process.ts';
import { makePrompt, type Prompt } from './prompt.ts';
import { type Proxy, type Setting, startProxy } from './proxy.ts';
import { measureRounds } from './rounds.ts';
import { formatTable, type Row, tidyRow } from './row.ts';
import { startWorld } from './world.ts';

const words = process.argv.slice(2);
if (words.includes('--help')) process.stdout.write(USAGE);
else {
  const options = parseOptions(words);
  if (typeof options === 'string') end(2, options);
  else
    await run(options).then(
      () => end(0),
      (fault: unknown) => end(1, fault instanceof Error ? fault.message : 'the bench failed'),
    );
}

function end(code: number, sentence?: string): never {
  if (sentence !== undefined) process.stderr.write(`bench: ${sentence}\n`);
  process.exit(code);
}

function note(sentence: string): void {
  process.stderr.write(`bench: ${sentence}\n`);
}

async function run(options: BenchOptions): Promise<void> {
  const [load = 0] = loadavg();
  if (load > 0.5) note(`other programs are running here (load ${load.toFixed(1)}): compare rows, not numbers`);
  if (!pinned) note('programs are not kept on cores (that needs taskset and two cores): rows disturb each other');
  const isGuarded = [...options.only].some((name) => !APART.some((row) => row === name));
  const rows = [...(isGuarded ? await measureGuard(options) : []), ...(await measureApart(options))].map(tidyRow);
  process.stdout.write(options.json ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : formatTable(rows));
}

/** The guard beside other proxies: every row that needs an upstream. */
async function measureGuard(options: BenchOptions): Promise<readonly Row[]> {
  const prompt = makePrompt();
  const material = await makeMaterial();
  const dist = join(material.root, 'dist');
  await bundlePrograms(dist, { ...PROGRAMS, forwarder: 'bench/forwarder.ts' });
  if (options.profile !== null) mkdirSync(options.profile, { recursive: true });
  const world = await startWorld(material, prompt.answer);
  const setting: Setting = { material, world, dist, profile: options.profile };
  note(`upstream ${world.upstream}, prompt ${prompt.body.length} bytes, answer ${prompt.answer.length} bytes`);
  const rows: Row[] = [];
  const idle = options.only.has('idle') ? [await measureIdle(setting)] : [];
  const proxies = await startProxies(options, setting);
  for (const proxy of proxies) await proveAnswer(proxy, setting, prompt);
  const probe = new SyncProbe(material.dir);
  rows.push(
    ...(await measureRounds(proxies, {
      world,
      body: prompt.body,
      seconds: options.seconds,
      between: () => Promise.resolve(probe.run()),
    })),
    ...idle,
  );
  if (options.only.has('fdatasync') || options.only.has('full')) rows.push(probe.row());
  rows.push(...(await measureExtras(options, setting, proxies)));
  await Promise.all(proxies.map(async ({ program }) => program && endProgram(program, 'SIGTERM')));
  return rows;
}

async function startProxies({ only }: BenchOptions, setting: Setting): Promise<readonly Proxy[]> {
  const proxies: Proxy[] = [];
  for (const name of RIVALS.filter((rival) => only.has(rival))) {
    const proxy = await startProxy(name, setting);
    if (typeof proxy === 'string') note(`no row ${name}: ${proxy}`);
    else proxies.push(proxy);
  }
  return proxies;
}

/** A fast answer that is not the right one would measure nothing. */
async function proveAnswer(proxy: Proxy, { world }: Setting, prompt: Prompt): Promise<void> {
  const target = proxy.target(world.ports.plain, prompt.body);
  const result = await world.order<'once'>({ kind: 'once', targets: [target] }).catch((fault: Error) => {
    throw new Error(`${proxy.name} does not answer: ${fault.message} ${proxy.program?.said() ?? ''}`);
  });
  const guarded = proxy.name === 'full' || proxy.name === 'full-nosync';
  const message = JSON.parse(result.bodies[0] ?? '') as { readonly content?: readonly { readonly text?: string }[] };
  const sent = JSON.parse(prompt.answer.toString()) as typeof message;
  const expected = guarded ? prompt.restored : sent.content?.[0]?.text;
  if (message.content?.[0]?.text !== expected)
    throw new Error(`${proxy.name} gave another answer than ${guarded ? 'the restored one' : "the upstream's"}`);
}

async function measureExtras(
  { only }: BenchOptions,
  setting: Setting,
  proxies: readonly Proxy[],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  if (only.has('stream')) {
    const [direct] = proxies;
    const guard = proxies.find(({ name }) => name === 'full') ?? (await startProxy('full', setting));
    if (direct !== undefined && typeof guard !== 'string') rows.push(await measureStream(setting, direct, guard));
  }
  if (only.has('memory')) rows.push(await measureMemory(setting));
  return rows;
}
