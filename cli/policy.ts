import type { CommandIo } from './io.ts';
import { UsageError } from './io.ts';
import { explainPolicy } from './policy-explain.ts';
import { suggestPolicy } from './policy-suggest.ts';
import { makePolicyKey, signPolicy, verifyPolicy } from './policy-sign.ts';

export const POLICY_HELP = `lazaret policy sign --key JWK [--next-key JWK] [--serial EPOCH.REVISION] [--out FILE] [--namespace NS] [--label K=V]... SOURCE
lazaret policy verify --key JWK [--json] BUNDLE
lazaret policy explain --policy SOURCE --host H [--method M] [--path P] [--header K=V]... [--model M] [--feature F]...
                       [--namespace NS] [--label K=V]... [--at TIME] [--clear] [--json]
lazaret policy suggest --store DIR [--key JWK] [--json]
lazaret policy key --out DIR

SOURCE is a YAML stream or JSON list of ProviderAgreement, EgressPolicy, GuardExemption and one document "values"; see docs/policy.md.
Exit codes: 0 done or allowed, 1 refused or not verified, 2 wrong usage or a faulty source.
`;

/** `lazaret policy`. @returns the exit code; @throws UsageError for wrong usage and faulty sources */
export async function policy(args: readonly string[], io: CommandIo): Promise<number> {
  const [action, ...rest] = args;
  if (action === '--help' || action === '-h' || rest.includes('--help')) {
    io.stdout(POLICY_HELP);
    return 0;
  }
  const run = action !== undefined && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (run === undefined)
    throw new UsageError('lazaret policy takes sign, verify, explain, suggest or key: see lazaret policy --help');
  return run(rest, io);
}

const ACTIONS: Readonly<Record<string, (args: readonly string[], io: CommandIo) => Promise<number>>> = {
  sign: signPolicy,
  verify: verifyPolicy,
  explain: explainPolicy,
  suggest: suggestPolicy,
  key: makePolicyKey,
};
