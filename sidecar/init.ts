// lazaret-init: runs before anything else in the pod, as root with NET_ADMIN and CHOWN, and must leave the pod either
// guarded and proven so, or not started at all.
import { readFile } from 'node:fs/promises';
import { authorityPaths, POD_PORT, trustPaths } from '#contract/pod-paths.ts';
import type { SocketAddress } from './init/address.ts';
import type { InitConfig } from './init/config.ts';
import { parseInitConfig } from './init/config.ts';
import { faultCode, InitError } from './init/init-error.ts';
import { loadRules } from './init/load-rules.ts';
import { renderNetworkRules } from './init/network-rules.ts';
import { makePodAuthority } from './init/pod-authority.ts';
import { proveRedirect } from './init/prove-redirect.ts';
import { parseResolvConf } from './init/resolv-conf.ts';
import { writeSettingsFiles } from './init/settings-files.ts';
import type { Owner } from './init/trust-files.ts';
import { hasCompleteAuthority, readExtraRoots, writeAuthorityFiles, writeTrustFiles } from './init/trust-files.ts';

async function guardPod(config: InitConfig): Promise<void> {
  const { owner } = config;
  // Where nothing may be redirected the clients are told a proxy: the pod is advisory, and the log says so.
  if (owner === null) return makeFiles(config, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
  if (process.getuid?.() === owner.uid) {
    throw new InitError("lazaret-init runs under the sidecar's uid, so it can prove nothing.");
  }
  const resolvers = config.resolvers ?? (await readResolvers());
  await loadRules(renderNetworkRules({ ...owner, port: POD_PORT.intercept, resolvers, udpAllowed: config.udpAllowed }));
  await Promise.all([proveRedirect(POD_PORT.intercept), makeFiles(config, owner)]);
}

async function makeFiles(config: InitConfig, owner: Owner): Promise<void> {
  const { settingsDir, settingsFiles } = config;
  if (settingsFiles !== undefined) await writeSettingsFiles(settingsDir, settingsFiles, owner);
  await makeTrust(config, owner);
}

/** An authority that is complete stays: when this container runs again, applications already trust its root. */
async function makeTrust(config: InitConfig, owner: Owner): Promise<void> {
  if (await hasCompleteAuthority(authorityPaths(config.authorityDir), config.constraints)) return;
  const nowMs = Date.now();
  const extraRoots = config.extraRoots === undefined ? [] : await readExtraRoots(config.extraRoots);
  const authority = await makePodAuthority(config.constraints, nowMs);
  await writeTrustFiles(trustPaths(config.trustDir), authority.rootCertificate, extraRoots, nowMs);
  await writeAuthorityFiles(authorityPaths(config.authorityDir), authority, owner, config.constraints);
}

async function readResolvers(): Promise<readonly SocketAddress[]> {
  const text = await readFile('/etc/resolv.conf', 'latin1').catch((error: unknown) => {
    throw new InitError(`/etc/resolv.conf cannot be read (${faultCode(error)}): set LAZARET_RESOLVERS.`);
  });
  const resolvers = parseResolvConf(text);
  if (resolvers.length === 0) throw new InitError('/etc/resolv.conf names no resolver: set LAZARET_RESOLVERS.');
  return resolvers;
}

function refuse(sentence: string): void {
  process.stderr.write(`lazaret-init: ${sentence}\n`);
  process.exitCode = 1;
}

const settings = parseInitConfig(process.env);
if (settings.ok) {
  try {
    await guardPod(settings.config);
    const facts =
      settings.config.owner === null
        ? { level: 'warn', msg: 'explicit proxy: traffic that goes around it is not seen', redirect: 'none' }
        : { level: 'info', msg: 'pod guarded', redirect: 'proven' };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
  } catch (error) {
    refuse(error instanceof InitError ? error.message : `the pod could not be guarded (${faultCode(error)}).`);
  }
} else {
  refuse(`the settings are not usable: ${settings.faults.join('; ')}.`);
}
