import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CHART } from '#test/chart/chart-files.ts';
import { CLIENTS } from './place.ts';
import { type CommandResult, runCommand, tryCommand } from './run-command.ts';

/** Helm 4 and Helm 3, by the names of their programs. */
export const HELMS = ['helm', 'helm3'] as const;
export type Helm = (typeof HELMS)[number];

/** One object of a render. */
export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Without a cluster, Helm assumes the version that it was built for, which may be none. */
export const KUBE_VERSION = ['--kube-version', '1.36.0'] as const;

/** APIs that some values need and a bare cluster lacks. */
const FURTHER_APIS = ['--api-versions', 'cert-manager.io/v1', '--api-versions', 'monitoring.coreos.com/v1'];

/** A file of the chart's `ci` folder. */
export function ciValues(name: string): readonly string[] {
  return ['-f', join(CHART, 'ci', `${name}-values.yaml`)];
}

export const CI_VALUES = ['default', 'existing-secret', 'cert-manager', 'openshift', 'full'] as const;

/** Runs Helm; its exit code is no fault. */
export function tryHelm(helm: Helm, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return tryCommand([join(CLIENTS, helm), ...args], { env: helmEnvironment(env) });
}

/** @throws when Helm refuses */
export function runHelm(helm: Helm, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return runCommand([join(CLIENTS, helm), ...args], { env: helmEnvironment(env) });
}

/** What `helm template` prints for release `lazaret` in namespace `lazaret`. */
export function renderText(helm: Helm, args: readonly string[]): Promise<string> {
  return runHelm(helm, [
    'template',
    'lazaret',
    CHART,
    '--namespace',
    'lazaret',
    ...KUBE_VERSION,
    ...FURTHER_APIS,
    ...args,
  ]);
}

/** The objects of a render. */
export async function renderChart(helm: Helm, args: readonly string[]): Promise<readonly RenderedObject[]> {
  return parseAllDocuments(await renderText(helm, args))
    .map((document) => document.toJS() as RenderedObject | null)
    .filter((object) => object !== null);
}

/** What `helm template` says when it refuses. @throws when it does not */
export async function refusal(helm: Helm, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryHelm(helm, ['template', 'lazaret', CHART, ...KUBE_VERSION, ...args]);
  if (status === 0) throw new Error(`it renders ${stdout.length} characters`);
  return stderr;
}

/** Writes values into a file of its own. @returns the arguments that name it */
export function valuesFile(text: string): readonly string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'lazaret-values-')), 'values.yaml');
  writeFileSync(file, text);
  return ['-f', file];
}

/** Helm keeps nothing of ours in the user's folders, and reads nothing of theirs. */
function helmEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const home = join(tmpdir(), 'lazaret-helm');
  return {
    PATH: process.env.PATH,
    HOME: home,
    HELM_CACHE_HOME: `${home}/cache`,
    HELM_CONFIG_HOME: `${home}/config`,
    HELM_DATA_HOME: `${home}/data`,
    ...env,
  };
}
