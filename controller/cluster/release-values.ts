import { parse } from 'yaml';
import { LIMIT } from '#contract/limit.ts';
import type { RawObject } from '../ports.ts';
import { fieldOf, textMapOf } from './resource-store.ts';

/** The key of the release's ConfigMap that holds the chart's values. */
const VALUES_KEY = 'values.yaml';

/** @returns the values as they stand in the ConfigMap; undefined when it holds none that can be read */
export function readReleaseValues(configMap: RawObject): RawObject | undefined {
  const text = textMapOf(configMap, 'data')[VALUES_KEY];
  if (text === undefined || Buffer.byteLength(text) > LIMIT.valuesBytes) return undefined;
  try {
    const values: unknown = parse(text);
    if (values === null) return {};
    return typeof values === 'object' && !Array.isArray(values) ? (values as RawObject) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Names the cluster's own resolvers where the values name none. Where neither is known, none are named, and a reader that
 * needs one finds that missing: a guess would leave every guarded pod without names.
 * @param addresses of the cluster's DNS Service
 */
export function withResolvers(values: RawObject, addresses: readonly string[]): RawObject {
  const network = fieldOf(values, 'network');
  const named = network.resolvers;
  if (Array.isArray(named) && named.length > 0) return values;
  return { ...values, network: { ...network, resolvers: addresses } };
}

/** The addresses of a Service, both families. */
export function serviceAddresses(service: RawObject): readonly string[] {
  const { clusterIP, clusterIPs } = fieldOf(service, 'spec');
  const all: readonly unknown[] = Array.isArray(clusterIPs) ? clusterIPs : [clusterIP];
  return all.filter((address): address is string => typeof address === 'string' && /^[0-9a-fA-F.:]+$/.test(address));
}
