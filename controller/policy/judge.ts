import { findCrossFaults } from '#contract/policy-lint.ts';
import type { AgreementDocument, EgressDocument, ExemptionDocument, ResourceKind } from '#contract/policy-schema.ts';
import { type PolicyFault, type PolicySource, readResource, type ResourceResult } from '#contract/policy-source.ts';
import type { PolicyInputs, RawObject } from '../ports.ts';
import { barAgreement, barUnreadable } from './bar-agreement.ts';
import { judgeValues } from './judge-values.ts';

/** What is to be said of one resource. */
export interface ResourceVerdict {
  readonly kind: ResourceKind;
  /** Null for a resource of the cluster. */
  readonly namespace: string | null;
  readonly name: string;
  readonly raw: RawObject;
  /** What is wrong with it, empty when all is well. */
  readonly faults: readonly PolicyFault[];
  /** The resource as it was read; null when it could not be. */
  readonly document: AgreementDocument | EgressDocument | ExemptionDocument | null;
}

/** Policy of the whole cluster, as far as it could be read; no fault gives anything. */
export interface JudgedPolicy {
  /** The revision of the inputs it was made of. */
  readonly revision: number;
  /** What is compiled: agreements at fault stand in it as not in force, exemptions at fault are not in it. */
  readonly source: PolicySource;
  /** Namespaces that refuse everything, because an EgressPolicy of theirs could not be read. */
  readonly lockedNamespaces: ReadonlySet<string>;
  /** Whether every namespace refuses, because the cluster's own defaults could not be read, or a policy says no namespace. */
  readonly locked: boolean;
  readonly verdicts: readonly ResourceVerdict[];
  readonly valuesFaults: readonly PolicyFault[];
}

/** Reads one resource; the default reads it anew each time. */
export type ReadResource = <Kind extends ResourceKind>(kind: Kind, raw: RawObject) => ResourceResult<Kind>;

/**
 * Judges all inputs, each resource by itself and then together. A fault never widens: an agreement at fault is not in force and
 * still speaks for its hosts, an exemption at fault grants nothing, an EgressPolicy that cannot be read makes its namespace refuse,
 * and one that only asks for more than there is (`findCrossFaults`) holds in all that it takes away.
 */
export function judgePolicy(inputs: PolicyInputs, read: ReadResource = readResource): JudgedPolicy {
  const values = judgeValues(inputs.values);
  const agreements = inputs.agreements.map((raw) => readOne('ProviderAgreement', raw, read));
  const egress = inputs.egress.map((raw) => readOne('EgressPolicy', raw, read));
  const exemptions = inputs.exemptions.map((raw) => readOne('GuardExemption', raw, read));
  const readable: PolicySource = {
    values: values.values,
    agreements: agreements.flatMap(({ document }) => document ?? []),
    egress: egress.flatMap(({ document }) => document ?? []),
    exemptions: exemptions.flatMap(({ document }) => document ?? []),
  };
  const unreadable = agreements.flatMap(({ document, name, raw }) =>
    document === null ? [barUnreadable(name, raw, readable.agreements)] : [],
  );
  const together = { ...readable, agreements: [...readable.agreements, ...unreadable] };
  const cross = groupFaults(findCrossFaults(together, unjudged(exemptions, values.faults)));
  const faulty = new Set(cross.keys());
  const unread = egress.filter(({ document }) => document === null);
  return {
    revision: inputs.revision,
    source: {
      ...readable,
      agreements: [
        ...readable.agreements.map((document) => (faulty.has(idOf(document)) ? barAgreement(document) : document)),
        ...unreadable,
      ],
      exemptions: readable.exemptions.filter((document) => !faulty.has(idOf(document))),
    },
    lockedNamespaces: new Set(unread.flatMap(({ namespace }) => namespace ?? [])),
    locked: values.locked || unread.some(({ namespace }) => namespace === null),
    verdicts: [...agreements, ...egress, ...exemptions].map((verdict) => addFaults(verdict, cross)),
    valuesFaults: values.faults,
  };
}

type DocumentOf<Kind extends ResourceKind> = Extract<ResourceResult<Kind>, { readonly ok: true }>['document'];

interface Read<Document> extends Omit<ResourceVerdict, 'document'> {
  readonly document: Document | null;
}

function readOne<Kind extends ResourceKind>(kind: Kind, raw: RawObject, read: ReadResource): Read<DocumentOf<Kind>> {
  const metadata = isObject(raw.metadata) ? raw.metadata : {};
  const { namespace, name } = metadata;
  const result = read(kind, raw);
  return {
    kind,
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : null,
    name: typeof name === 'string' ? name : '',
    raw,
    faults: result.ok ? [] : result.faults,
    document: result.ok ? result.document : null,
  };
}

/** What refers to a document that could not be read cannot be judged yet; agreements that could not be read are known by name. */
function unjudged(exemptions: readonly ResourceVerdict[], values: readonly PolicyFault[]): ReadonlySet<string> {
  return new Set([
    ...(exemptions.some(({ document }) => document === null) ? ['GuardExemption'] : []),
    ...(values.length > 0 ? ['values'] : []),
  ]);
}

function groupFaults(faults: readonly PolicyFault[]): ReadonlyMap<string, readonly PolicyFault[]> {
  const groups = new Map<string, PolicyFault[]>();
  for (const fault of faults) {
    const group = groups.get(fault.document);
    if (group === undefined) groups.set(fault.document, [fault]);
    else group.push(fault);
  }
  return groups;
}

function addFaults(verdict: ResourceVerdict, cross: ReadonlyMap<string, readonly PolicyFault[]>): ResourceVerdict {
  if (verdict.document === null) return verdict;
  const found = cross.get(idOf(verdict.document));
  return found === undefined ? verdict : { ...verdict, faults: found };
}

function idOf(document: AgreementDocument | EgressDocument | ExemptionDocument): string {
  const { namespace, name } = document.metadata;
  return typeof namespace === 'string' ? `${document.kind}/${namespace}/${name}` : `${document.kind}/${name}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
