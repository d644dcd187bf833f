import { LIMIT } from '#contract/limit.ts';
import type { AdmissionContext } from './admission/review.ts';
import { sharesParameters } from './admission/policy-parameters.ts';
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
  /** The newest settings, in use or waiting: what the admission policies must accept beside those before. */
  readonly newest: () => AdmissionSettings | null;
  /** Settings that wait for the admission policies to accept them; null when there are none. */
  readonly waiting: () => AdmissionSettings | null;
  /** Uses waiting settings, unless others came meanwhile. */
  readonly adopt: (settings: AdmissionSettings) => void;
  /** Waits until no settings wait, for `LIMIT.settingsHoldMs` at most. @param mostMs or less */
  readonly adopted: (mostMs: number) => Promise<void>;
}

interface Earlier {
  readonly settings: AdmissionSettings;
  /** Ms. */
  readonly until: number;
}

/**
 * Prepares reviews once for many. Settings that the admission policies may not know yet wait for `adopt`, but are accepted at once;
 * settings that were replaced are still accepted for `LIMIT.previousSettingsMs`: a pod may have been injected by a replica that is
 * ahead or behind.
 * @param onFault sentences for the operator, about the chart's values and the agreements' hosts
 */
export function createBase(now: () => number, onFault: (faults: readonly string[]) => void): BaseSource {
  const held = new HeldSettings(now);
  let terms: Pick<ReviewBase, 'key' | 'exemptions'> | null = null;
  const update = ({ values: given, judged, releaseNamespace, key, material, recipients }: BaseInputs): void => {
    const parsed = given === undefined ? null : parseAdmissionValues(given);
    if (parsed?.ok === false) onFault(parsed.faults);
    const read = parsed?.ok === true ? parsed.values : held.newest?.values;
    if (read === undefined) return;
    const audit = recipients === null ? read.audit : { recipients };
    const settings = compile({ ...read, releaseNamespace, audit }, material, judged, onFault);
    if (settings === null) return;
    held.take(settings);
    terms = { key, exemptions: judged.source.exemptions };
  };
  const base = (): ReviewBase | null => {
    if (held.current === null || terms === null) return null;
    const previous = held.others();
    return { settings: held.current, ...terms, ...(previous.length === 0 ? {} : { previous }) };
  };
  return {
    base,
    update,
    newest: () => held.newest,
    waiting: () => held.waiting,
    adopt: (settings) => held.adopt(settings),
    adopted: (mostMs) => held.adopted(mostMs),
  };
}

/** Settings in use, those that wait, and those before. */
class HeldSettings {
  readonly #now: () => number;
  #current: AdmissionSettings | null = null;
  #waiting: AdmissionSettings | null = null;
  #earlier: readonly Earlier[] = [];
  readonly #held = new Set<() => void>();

  constructor(now: () => number) {
    this.#now = now;
  }

  get current(): AdmissionSettings | null {
    return this.#current;
  }

  get waiting(): AdmissionSettings | null {
    return this.#waiting;
  }

  get newest(): AdmissionSettings | null {
    return this.#waiting ?? this.#current;
  }

  take(settings: AdmissionSettings): void {
    if (this.newest?.config === settings.config) return;
    const former = this.#current;
    this.#waiting = former?.config === settings.config ? null : settings;
    if (this.#waiting === null) this.#release();
    else if (former !== null && sharesParameters(former, settings)) this.adopt(settings);
  }

  adopt(settings: AdmissionSettings): void {
    if (this.#waiting !== settings) return;
    this.#waiting = null;
    const now = this.#now();
    if (this.#current !== null) {
      const former = { settings: this.#current, until: now + LIMIT.previousSettingsMs };
      this.#earlier = [former, ...this.#earlier.filter(({ until }) => until > now)].slice(0, LIMIT.previousSettings);
    }
    this.#current = settings;
    this.#release();
  }

  async adopted(mostMs: number): Promise<void> {
    if (this.#waiting === null || this.#held.size >= LIMIT.admissionWaiters) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        clearTimeout(late);
        this.#held.delete(go);
        resolve();
      };
      const late = setTimeout(go, Math.min(mostMs, LIMIT.settingsHoldMs));
      this.#held.add(go);
    });
  }

  #release(): void {
    for (const go of this.#held) go();
  }

  /** What is accepted beside the settings in use. */
  others(): readonly AdmissionSettings[] {
    const earlier = this.#earlier.filter(({ until }) => until > this.#now()).map(({ settings }) => settings);
    return this.#waiting === null ? earlier : [this.#waiting, ...earlier];
  }
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
