// What tests in a real cluster are written with. The cluster itself is brought up by global-setup.ts.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CLIENTS, testPlace } from './place.ts';
import type { CommandOptions, CommandResult } from './run-command.ts';
import { runCommand, tryCommand } from './run-command.ts';
import { waitFor } from './wait-for.ts';

export const PLACE = testPlace();

/** The image that applications in tests run on: Debian, nftables, Node; loaded by `up`. */
export { BASE_IMAGE } from '../../tools/image/base-image.ts';

const ENV = { ...process.env, KUBECONFIG: PLACE.kubeconfig };

/** Runs kubectl as the administrator. @returns its standard output @throws when it refuses */
export function kubectl(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return runCommand([join(CLIENTS, 'kubectl'), ...args], { ...options, env: ENV });
}

/** As `kubectl`, for what may be refused. */
export function tryKubectl(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return tryCommand([join(CLIENTS, 'kubectl'), ...args], { ...options, env: ENV });
}

/** Runs Helm; `helm` is Helm 4. */
export function tryHelm(
  args: readonly string[],
  client: 'helm' | 'helm3' = 'helm',
  options: CommandOptions = {},
): Promise<CommandResult> {
  return tryCommand([join(CLIENTS, client), ...args], { ...options, env: ENV });
}

/** Applies objects. @throws with the API server's words when one is refused */
export function applyYaml(yaml: string): Promise<string> {
  return kubectl(['apply', '--filename=-'], { input: yaml });
}

/** Reads an object or a list as JSON. */
export async function getObject(args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await kubectl(['get', ...args, '--output=json'])) as Record<string, unknown>;
}

/** Makes a namespace with a name of its own. @returns its name; `deleteNamespace` ends it */
export async function makeNamespace(labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  await applyYaml(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
  await waitFor(`the service account of ${name}`, async () => {
    const { status } = await tryKubectl(['get', 'serviceaccount', 'default', `--namespace=${name}`]);
    return status === 0 ? true : null;
  });
  return name;
}

/** Deletes a namespace without waiting for its end. */
export async function deleteNamespace(name: string): Promise<void> {
  await kubectl(['delete', 'namespace', name, '--wait=false', '--ignore-not-found']);
}

/**
 * Waits until an object has a condition, e.g. `pod/a`, `condition=Ready`.
 * @throws with what the cluster says of the object when it does not come
 */
export async function waitForCondition(
  namespace: string,
  object: string,
  condition: string,
  seconds = 60,
): Promise<void> {
  const inside = `--namespace=${namespace}`;
  const { status, stderr } = await tryKubectl(['wait', object, inside, `--for=${condition}`, `--timeout=${seconds}s`]);
  if (status === 0) return;
  const { stdout } = await tryKubectl(['describe', object, inside]);
  throw new Error(`${object}: ${stderr.trim()}\n${stdout.split('\n').slice(-15).join('\n')}`);
}

/** Runs a command in a pod's container. */
export function execInPod(
  namespace: string,
  pod: string,
  command: readonly string[],
  container?: string,
): Promise<CommandResult> {
  const which = container === undefined ? [] : [`--container=${container}`];
  return tryKubectl(['exec', pod, `--namespace=${namespace}`, ...which, '--', ...command]);
}
