import { calculateJwkThumbprint, CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { LIMIT } from '#contract/limit.ts';
import { parseArguments } from './arguments.ts';
import { type CommandIo, UsageError } from './io.ts';

/** The Secret of the release as kubectl prints it; everything else in it stays as it is. */
interface KeySecret {
  readonly kind: 'Secret';
  readonly data: Readonly<Record<string, string>>;
}

const CURRENT = 'bundle.jwk';
const NEXT = 'bundle-next.jwk';
const HOW = 'kubectl get secret lazaret-keys --output=json | lazaret keys rotate | kubectl replace --filename=-';

/**
 * `lazaret keys rotate`: reads the Secret with the release's keys from its input and writes it with the next key of policy in the
 * place of the current one, and a fresh one behind it. Running pods know the next key already, by the bundles that named it. What
 * is written keeps the version that was read, so that two who rotate at once do not undo each other.
 * @returns the exit code
 */
export async function keysRotate(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { all: 'switch' });
  if (given.positionals.length > 0) throw new UsageError(`lazaret keys rotate takes --all and nothing else: ${HOW}`);
  const secret = await readSecret(io);
  const current = given.has('all') ? await makeKey() : await nextKey(secret);
  const data = { ...secret.data, [CURRENT]: current, [NEXT]: await makeKey() };
  io.stdout(`${JSON.stringify({ ...secret, data })}\n`);
  return 0;
}

/** The key that running pods expect. One that cannot sign must not come into force. */
async function nextKey({ data }: KeySecret): Promise<string> {
  const base64 = data[NEXT];
  if (base64 === undefined)
    throw new UsageError(`the Secret holds no ${NEXT}, so running pods expect no other key: see --all`);
  try {
    const jwk = JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as JWK;
    await new CompactSign(new Uint8Array()).setProtectedHeader({ alg: 'ES256' }).sign(await importJWK(jwk, 'ES256'));
    return base64;
  } catch {
    throw new UsageError(`${NEXT} in the Secret is no key that can sign: restore the Secret from a backup`);
  }
}

async function readSecret(io: CommandIo): Promise<KeySecret> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of io.stdin) {
    size += chunk.length;
    if (size > LIMIT.bundleBytes) throw new UsageError(`the input is too large for a Secret: ${HOW}`);
    chunks.push(chunk);
  }
  const secret = parseSecret(Buffer.concat(chunks).toString('utf8'));
  if (secret === null) throw new UsageError(`the input is no Secret with ${CURRENT} in JSON: ${HOW}`);
  return secret;
}

function parseSecret(text: string): KeySecret | null {
  try {
    const read = JSON.parse(text) as KeySecret | null;
    return read?.kind === 'Secret' && typeof read.data?.[CURRENT] === 'string' ? read : null;
  } catch {
    return null;
  }
}

async function makeKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
  return Buffer.from(JSON.stringify(key)).toString('base64');
}
