// npm run cost: what a guard costs a pod and its node, on the test cluster. Prints the tables of docs/cost.md; notes go to stderr.
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { makePrompt, type Prompt } from '../../bench/prompt.ts';
import type { Script } from '#test/fake/answer.ts';
import {
  callOften,
  expectRestored,
  findProgram,
  openClient,
  type Program,
  reviewPods,
  sample,
  startCaller,
  timeToReady,
  waitForService,
} from './cost-measure.ts';
import { type Cost, formatCost, type Usage } from './cost-table.ts';
import { setup } from './global-setup.ts';
import { installProduct, type Product } from './install.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const PODS = 5;
const ROUNDS = 4;
const CALLS_A_ROUND = 100;
const CALLERS = 8;
const SECONDS = 20;
const REVIEWS_A_SECOND = 5;

const AGREEMENT = {
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'ProviderAgreement',
  metadata: { name: 'cost' },
  spec: {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-TEST-4', signedOn: '2026-01-15' },
  },
};

interface Place {
  readonly product: Product;
  readonly prompt: Prompt;
  readonly guarded: string;
  readonly plain: string;
}

const say = (line: string): void => void process.stderr.write(`cost: ${line}\n`);

async function measure({ prompt, guarded, plain }: Place): Promise<Cost> {
  const before = loadavg()[0] ?? 0;
  const client = openClient();
  try {
    say(`${PODS} pods with a guard and ${PODS} without`);
    const ready = await inTurn(PODS, (at) => [
      timeToReady(client, plain, `plain-${at}`),
      () => timeToReady(client, guarded, `guarded-${at}`),
    ]);
    const programs = await findPrograms(guarded);
    say(`${SECONDS} s without a request`);
    const idle = await sample(programs, () => delay(SECONDS * 1_000));
    say(`${SECONDS} s under load`);
    const load = { seconds: 0, exchanges: 0, admissions: 0 };
    const loaded = await sample(programs, async () => {
      const begun = performance.now();
      const endReviews = reviewPods(client, guarded, REVIEWS_A_SECOND);
      const times = await callOften(guarded, prompt, { callers: CALLERS, count: Infinity, seconds: SECONDS });
      load.admissions = await endReviews();
      load.exchanges = times.length;
      load.seconds = (performance.now() - begun) / 1_000;
    });
    say(`${ROUNDS * CALLS_A_ROUND} requests, one after another`);
    const one = { callers: 1, count: CALLS_A_ROUND, seconds: 120 };
    await callOften(plain, prompt, one);
    const rounds = await inTurn(ROUNDS, () => [callOften(plain, prompt, one), () => callOften(guarded, prompt, one)]);
    const request = { without: rounds.without.flat(), with: rounds.with.flat() };
    const [sidecar, controller, collector] = programs.map((_, at) => usageOf(idle[at], loaded[at]));
    if (sidecar === undefined || controller === undefined || collector === undefined) throw new Error('no programs');
    return { ready, request, sidecar, controller, collector, load, busy: [before, loadavg()[0] ?? 0] };
  } finally {
    client.close();
  }
}

/** Without and with the guard, by turns: a slow minute of the machine meets both. */
async function inTurn<T>(
  rounds: number,
  both: (at: number) => readonly [Promise<T>, () => Promise<T>],
): Promise<{ readonly without: readonly T[]; readonly with: readonly T[] }> {
  const found: { without: T[]; with: T[] } = { without: [], with: [] };
  for (let at = 0; at < rounds; at++) {
    const [first, second] = both(at);
    found.without.push(await first);
    found.with.push(await second());
  }
  return found;
}

function usageOf(idle: Usage['idle'] | undefined, loaded: Usage['loaded'] | undefined): Usage {
  if (idle === undefined || loaded === undefined) throw new Error('a program has no metrics');
  return { idle, loaded };
}

async function findPrograms(guarded: string): Promise<readonly Program[]> {
  const component = (name: string): string => `--selector=app.kubernetes.io/component=${name}`;
  return Promise.all([
    findProgram(guarded, '--field-selector=metadata.name=caller', 15_020),
    findProgram('lazaret', component('controller'), 9_090),
    findProgram('lazaret', component('collector'), 9_090),
  ]);
}

/** A provider that answers at once, so that what is measured is the way. */
function answerWith(prompt: Prompt): Script {
  return () => ({
    headers: [
      ['content-type', 'application/json'],
      ['content-length', `${prompt.answer.length}`],
    ],
    steps: [{ do: 'write', bytes: prompt.answer }],
  });
}

async function withProduct(work: (place: Place) => Promise<Cost>): Promise<Cost> {
  const prompt = makePrompt();
  const product = await installProduct({ script: answerWith(prompt) });
  const [guarded, plain] = await Promise.all([makeNamespace({ 'lazaret.dev/guard': 'labelled' }), makeNamespace()]);
  try {
    await waitFor('the webhook of agreements', () => applyYaml(JSON.stringify(AGREEMENT)));
    expectRestored(guarded);
    await Promise.all([startCaller(guarded, null), startCaller(plain, product.provider.authority.root)]);
    for (const namespace of [guarded, plain]) await waitForService(namespace, prompt);
    return await work({ product, prompt, guarded, plain });
  } finally {
    await kubectl(['delete', 'provideragreement', 'cost', '--ignore-not-found', '--timeout=60s']);
    for (const namespace of [guarded, plain]) await deleteNamespace(namespace);
    await product.uninstall();
  }
}

const end = await setup();
try {
  process.stdout.write(`${formatCost(await withProduct(measure), new Date())}\n`);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await end();
}
