import { auditList } from './audit-list.ts';
import { auditOpen } from './audit-open.ts';
import { auditVerify } from './audit-verify.ts';
import { type CommandIo, UsageError } from './io.ts';

const HELP = `lazaret audit list --store DIR [--chain ID] [--stage STAGE]... [--id EXCHANGE] [--provider P] [--reason R] [--since TIME]
                   [--until TIME] [--all] [--json]
lazaret audit verify --store DIR [--trust JWKS] [--expect CHAINS] [--json]
lazaret audit open --store DIR --key JWK --id EXCHANGE [--json]

Works on the files alone. verify prints one line for each finding; --trust names the collector's public keys, kept elsewhere than the
store; --expect names the chains that must exist. open needs the auditor's or the escrow's private key.
Exit codes: 0 done and nothing found, 1 a finding or nothing to open, 2 wrong usage.
`;

const ACTIONS: Readonly<Record<string, (args: readonly string[], io: CommandIo) => Promise<number>>> = {
  list: auditList,
  verify: auditVerify,
  open: auditOpen,
};

/** `lazaret audit`. @returns the exit code; @throws UsageError for wrong usage and unusable input */
export async function audit(args: readonly string[], io: CommandIo): Promise<number> {
  const [action, ...rest] = args;
  if (action === '--help' || action === '-h' || rest.includes('--help')) {
    io.stdout(HELP);
    return 0;
  }
  const run = action !== undefined && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (run === undefined) throw new UsageError('lazaret audit takes list, verify or open: see lazaret audit --help');
  return run(rest, io);
}
