import { LIMIT } from '#contract/limit.ts';
import type { AdmissionContext } from './admission/review.ts';
import { type AdmissionSettings, compileSettings, type ReleaseMaterial } from './admission/settings.ts';
import { type AdmissionValues, parseAdmissionValues } from './admission/values.ts';
import type { JudgedPolicy } from './policy/judge.ts';

/** What every review needs, whatever its namespace. */
export type ReviewBase = Omit<AdmissionContext, 'namespace' | 'now' | 'settings'> & {
  readonly settings: AdmissionSettings;
};

/** What the base is made of. */
export interface BaseInputs {
  /** The chart's values; undefined while there are none. */
  readonly values: unknown;
  readonly judged: JudgedPolicy;
  readonly releaseNamespace: string;
  readonly key: Uint8Array;
  readonly material: ReleaseMaterial;
  /** Public audit keys of an evaluation; null where the values hold them. */
  readonly recipients: string | null;
}

/** The base as last made. */
export interface BaseSource {
  /** Null until there was a good configuration and the release's keys. */
  readonly base: () => ReviewBase | null;
  /** Makes it anew. Faults keep the settings that were good, and are told. */
  readonly update: (inputs: BaseInputs) => void;
}

interface Earlier {
  readonly settings: AdmissionSettings;
  /** Ms. */
  readonly until: number;
}

/**
 * Prepares reviews once for many. Settings that were replaced are still accepted for `LIMIT.previousSettingsMs`: a pod may
 * have been injected by a replica that had not heard of the change.
 * @param onFault sentences for the operator, about the chart's values and the agreements' hosts
 */
export function createBase(now: () => number, onFault: (faults: readonly string[]) => void): BaseSource {
  let current: Omit<ReviewBase, 'previous'> | null = null;
  let earlier: readonly Earlier[] = [];
  const update = ({ values: given, judged, releaseNamespace, key, material, recipients }: BaseInputs): void => {
    const parsed = given === undefined ? null : parseAdmissionValues(given);
    if (parsed?.ok === false) onFault(parsed.faults);
    const read = parsed?.ok === true ? parsed.values : current?.settings.values;
    if (read === undefined) return;
    const audit = recipients === null ? read.audit : { recipients };
    const settings = compile({ ...read, releaseNamespace, audit }, material, judged, onFault);
    if (settings === null) return;
    if (current !== null && current.settings.config !== settings.config) {
      const former = { settings: current.settings, until: now() + LIMIT.previousSettingsMs };
      earlier = [former, ...earlier.filter(({ until }) => until > now())].slice(0, LIMIT.previousSettings);
    }
    const kept = current?.settings.config === settings.config ? current.settings : settings;
    current = { settings: kept, key, exemptions: judged.source.exemptions };
  };
  const base = (): ReviewBase | null => {
    if (current === null) return null;
    const previous = earlier.filter(({ until }) => until > now()).map(({ settings }) => settings);
    return previous.length === 0 ? current : { ...current, previous };
  };
  return { base, update };
}

/** Agreements whose hosts do not fit into a pod CA are left out, in the order of their names: their hosts are refused by TLS. */
function compile(
  values: AdmissionValues,
  material: ReleaseMaterial,
  judged: JudgedPolicy,
  onFault: (faults: readonly string[]) => void,
): AdmissionSettings | null {
  const agreements = judged.source.agreements.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const hosts = agreements.map(({ spec }) => spec.match.hosts);
  for (let count = hosts.length; count >= 0; count -= 1) {
    try {
      return compileSettings(values, material, hosts.slice(0, count).flat());
    } catch (fault) {
      if (!(fault instanceof RangeError)) throw fault;
      if (count === hosts.length) onFault([fault.message]);
    }
  }
  return null;
}
