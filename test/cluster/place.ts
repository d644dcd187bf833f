import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where one test cluster lives: its folders and addresses. Clusters in different slots run beside each other. */
export interface ClusterPlace {
  readonly slot: number;
  /** Everything of a running cluster; gone after `down`. */
  readonly state: string;
  /** The interface on the machine's side. */
  readonly link: string;
  /** The machine's address as the cluster sees it: a webhook's `url:` may point there. */
  readonly hostAddress: string;
  /** The API server's, the registry's and the only node's address. */
  readonly nodeAddress: string;
  /** The machine's addresses that count as public ones for pods: stand-ins of LLM providers listen there. */
  readonly worldAddresses: readonly string[];
  readonly podRange: string;
  readonly serviceRange: string;
  /** Pods and services, for the machine's one route. */
  readonly innerRange: string;
  readonly apiAddress: string;
  readonly dnsAddress: string;
  readonly kubeconfig: string;
  readonly cgroup: string;
}

/** Built programs and images, kept between runs. */
export const CACHE = join(homedir(), '.cache/lazaret/cluster');

/** kubectl, helm (4) and helm3. */
export const CLIENTS = join(CACHE, 'bin');

export const NODE_NAME = 'node-1';

/** RFC 2544: no address of it is anyone's, and it is not private. */
export const WORLD_RANGE = '198.18.0.0/15';

const SLOTS = 8;

/**
 * @param slot 0 to 7; 0 is the cluster of `npm run test:cluster`
 * @throws for any other slot
 */
export function clusterPlace(slot = 0): ClusterPlace {
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS) throw new Error(`--slot must be 0 to ${SLOTS - 1}`);
  const state = join(CACHE, `run-${slot}`);
  const net = `172.31.${240 + slot}`;
  const inner = 200 + 2 * slot;
  return {
    slot,
    state,
    link: `lzcluster${slot}`,
    hostAddress: `${net}.1`,
    nodeAddress: `${net}.2`,
    worldAddresses: [10, 11, 12, 13].map((last) => `198.18.${slot}.${last}`),
    podRange: `10.${inner}.0.0/16`,
    serviceRange: `10.${inner + 1}.0.0/16`,
    innerRange: `10.${inner}.0.0/15`,
    apiAddress: `10.${inner + 1}.0.1`,
    dnsAddress: `10.${inner + 1}.0.10`,
    kubeconfig: join(state, 'kubeconfig'),
    cgroup: `lazaret-cluster-${slot}`,
  };
}

/**
 * The clusters of one run of the tests: one for each of two files that run at a time, since most of a file's time is waiting.
 * LAZARET_TEST_SLOT names others: `3`, one file after the other, or `3,4`.
 */
export function testPlaces(): readonly ClusterPlace[] {
  const slots = (process.env['LAZARET_TEST_SLOT'] ?? '0,1').split(',');
  return slots.map((slot) => clusterPlace(Number(slot)));
}

/** The cluster of this file of tests: each worker of the run has its own. */
export function testPlace(): ClusterPlace {
  const places = testPlaces();
  const worker = places.length === 1 ? '1' : (process.env['VITEST_POOL_ID'] ?? '1');
  const mine = places[Number(worker) - 1];
  if (mine === undefined) throw new Error('a run of the cluster tests has one worker for each of its clusters');
  return mine;
}
