import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { KEY_WRAP } from '#contract/seal.ts';
import { parseArguments } from './arguments.ts';
import { type CommandIo, UsageError } from './io.ts';
import { keysRotate } from './keys-rotate.ts';

const HELP = `lazaret keys init --out DIR

Makes the key pairs that audit records are sealed to: auditor.private.jwk and escrow.private.jwk (mode 0600; keep them away from
the cluster, and apart from each other) and recipients.public.jwks, which the chart takes as audit.recipients.

kubectl get secret lazaret-keys --output=json | lazaret keys rotate [--all] | kubectl replace --filename=-

Puts the next key of policy in the place of the current one, and a fresh one behind it. Running pods know the next one already.
--all makes both anew, after a theft: pods that run take no policy any more until they are restarted.
`;

const NAMES = ['auditor.private.jwk', 'escrow.private.jwk', 'recipients.public.jwks'] as const;

/** `lazaret keys`. @returns the exit code; @throws UsageError for wrong usage or input, and where keys would be written over */
export async function keys(args: readonly string[], io: CommandIo): Promise<number> {
  const [action, ...rest] = args;
  if (action === '--help' || action === '-h' || rest.includes('--help')) {
    io.stdout(HELP);
    return 0;
  }
  if (action === 'init') return keysInit(rest, io);
  if (action === 'rotate') return keysRotate(rest, io);
  throw new UsageError('lazaret keys takes init or rotate: see lazaret keys --help');
}

/** `lazaret keys init`: makes the auditor's and the escrow's key pair. Works offline. */
export async function keysInit(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { out: 'value' });
  if (given.positionals.length > 0) throw new UsageError('lazaret keys init takes --out DIR and nothing else');
  const dir = given.required('out');
  for (const name of NAMES) {
    // The loss of a private key is the loss of every record sealed to it.
    if (await exists(io, `${dir}/${name}`))
      throw new UsageError(`${dir} already holds ${name}: choose another folder, or move it away`);
  }
  const auditor = await makePair('auditor');
  const escrow = await makePair('escrow');
  await io.writeFile(`${dir}/auditor.private.jwk`, `${JSON.stringify(auditor.private)}\n`, 0o600);
  await io.writeFile(`${dir}/escrow.private.jwk`, `${JSON.stringify(escrow.private)}\n`, 0o600);
  await io.writeFile(
    `${dir}/recipients.public.jwks`,
    `${JSON.stringify({ keys: [auditor.public, escrow.public] }, null, 2)}\n`,
    0o644,
  );
  io.stdout(`made ${NAMES.join(', ')} in ${dir}\n`);
  return 0;
}

async function makePair(role: 'auditor' | 'escrow'): Promise<{ readonly private: JWK; readonly public: JWK }> {
  const pair = await generateKeyPair(KEY_WRAP.alg, { crv: 'P-256', extractable: true });
  const { kty = '', crv = '', x = '', y = '', d = '' } = await exportJWK(pair.privateKey);
  const kid = `${role}-${(await calculateJwkThumbprint({ kty, crv, x, y })).slice(0, 16)}`;
  const shared = { kty, crv, x, y, kid, alg: KEY_WRAP.alg, use: 'enc' };
  return { private: { ...shared, d }, public: shared };
}

async function exists(io: CommandIo, path: string): Promise<boolean> {
  return io.readFile(path).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  );
}
