import type { z } from 'zod';
import { findCrossFaults } from './policy-lint.ts';
import type {
  AgreementDocument,
  EgressDocument,
  ExemptionDocument,
  PolicyValues,
  ResourceKind,
} from './policy-schema.ts';
import { RESOURCES, VALUES } from './policy-schema.ts';

/** What is wrong with one field of a source, and what to write instead. */
export interface PolicyFault {
  /** `Kind/name`, `Kind/namespace/name`, `values`, or `document N` when it says neither. */
  readonly document: string;
  /** Path of the field, empty for the document as a whole. */
  readonly field: string;
  readonly problem: string;
}

/** Everything that policy is made of: the cluster's defaults and the three resources. */
export interface PolicySource {
  readonly values: PolicyValues;
  readonly agreements: readonly AgreementDocument[];
  readonly egress: readonly EgressDocument[];
  readonly exemptions: readonly ExemptionDocument[];
}

/** A source, or all of its faults together. */
export type SourceResult =
  | { readonly ok: true; readonly source: PolicySource }
  | { readonly ok: false; readonly faults: readonly PolicyFault[] };

interface Draft {
  values: PolicyValues | null;
  readonly agreements: AgreementDocument[];
  readonly egress: EgressDocument[];
  readonly exemptions: ExemptionDocument[];
  readonly faults: PolicyFault[];
}

/**
 * Reads the documents of a bundle source: the three resources as they stand in the cluster (also as a `List`) and at
 * most one document with the single key `values`.
 * @param documents parsed YAML or JSON documents, in order
 * @returns the source, or every fault of every document; a faulty source is never used in part
 */
export function parseSource(documents: readonly unknown[]): SourceResult {
  const draft: Draft = { values: null, agreements: [], egress: [], exemptions: [], faults: [] };
  const items = documents.flatMap(listItems);
  if (items.length === 0)
    return {
      ok: false,
      faults: [{ document: 'source', field: '', problem: 'holds no document: write at least "values: {}"' }],
    };
  items.forEach((document, index) => addDocument(draft, document, index));
  const { agreements, egress, exemptions } = draft;
  const source: PolicySource = { values: draft.values ?? VALUES.parse({}), agreements, egress, exemptions };
  const faults = [
    ...draft.faults,
    ...findCrossFaults(source, new Set(draft.faults.map(({ document }) => document.split('/')[0] ?? ''))),
  ];
  return faults.length === 0 ? { ok: true, source } : { ok: false, faults };
}

/** One resource after reading, or what is wrong with it. */
export type ResourceResult<Kind extends ResourceKind> =
  | { readonly ok: true; readonly document: z.infer<(typeof RESOURCES)[Kind]> }
  | { readonly ok: false; readonly faults: readonly PolicyFault[] };

/**
 * Reads one resource by itself, as the API server gives it: what other documents say is not looked at (`findCrossFaults`).
 * @returns the document, or every fault of it
 */
export function readResource<Kind extends ResourceKind>(kind: Kind, raw: unknown): ResourceResult<Kind> {
  const schema = RESOURCES[kind] as unknown as z.ZodType<z.infer<(typeof RESOURCES)[Kind]>>;
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, document: parsed.data };
  const name = documentName(isObject(raw) ? { ...raw, kind } : raw, 0);
  return { ok: false, faults: parsed.error.issues.flatMap((issue) => issueFaults(name, issue)) };
}

/**
 * Reads the chart's values that are policy, and nothing but those.
 * @returns the values, or every fault of them, with fields that begin with `values.`
 */
export function readValues(
  raw: unknown,
):
  | { readonly ok: true; readonly values: PolicyValues }
  | { readonly ok: false; readonly faults: readonly PolicyFault[] } {
  const parsed = VALUES.safeParse(raw);
  if (parsed.success) return { ok: true, values: parsed.data };
  return { ok: false, faults: parsed.error.issues.flatMap((issue) => valuesFaults('values', issue)) };
}

/** One line for a fault: where, and what to do. */
export function describeFault(fault: PolicyFault): string {
  return fault.field === ''
    ? `${fault.document}: ${fault.problem}`
    : `${fault.document}: ${fault.field}: ${fault.problem}`;
}

function listItems(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document.flatMap(listItems);
  if (document === null || document === undefined) return [];
  if (isObject(document) && document.kind === 'List' && Array.isArray(document.items)) return document.items;
  return [document];
}

function addDocument(draft: Draft, document: unknown, index: number): void {
  const name = documentName(document, index);
  const fault = (field: string, problem: string) => draft.faults.push({ document: name, field, problem });
  if (!isObject(document)) return void fault('', 'must be an object: one of the three resources, or "values: ..."');
  if ('values' in document && !('kind' in document)) return addValues(draft, document, name);
  switch (document.kind) {
    case 'ProviderAgreement':
      return keep(draft, draft.agreements, [name, RESOURCES.ProviderAgreement.safeParse(document)]);
    case 'EgressPolicy':
      return keep(draft, draft.egress, [name, RESOURCES.EgressPolicy.safeParse(document)]);
    case 'GuardExemption':
      return keep(draft, draft.exemptions, [name, RESOURCES.GuardExemption.safeParse(document)]);
    default:
      return void fault(
        'kind',
        'must be ProviderAgreement, EgressPolicy or GuardExemption, or the document must be "values: ..."',
      );
  }
}

function keep<T>(draft: Draft, list: T[], [name, parsed]: readonly [string, z.ZodSafeParseResult<T>]): void {
  if (!parsed.success) draft.faults.push(...parsed.error.issues.flatMap((issue) => issueFaults(name, issue)));
  else list.push(parsed.data);
}

function addValues(draft: Draft, document: Record<string, unknown>, name: string): void {
  const extra = Object.keys(document).filter((key) => key !== 'values');
  draft.faults.push(
    ...extra.map((field) => ({
      document: name,
      field,
      problem: 'is not known here: a values document has the single key "values"',
    })),
  );
  if (draft.values !== null)
    return void draft.faults.push({ document: name, field: '', problem: 'stands twice: keep one values document' });
  const parsed = VALUES.safeParse(document.values ?? {});
  if (parsed.success) draft.values = parsed.data;
  else draft.faults.push(...parsed.error.issues.flatMap((issue) => valuesFaults(name, issue)));
}

function valuesFaults(document: string, issue: z.core.$ZodIssue): readonly PolicyFault[] {
  return issueFaults(document, { ...issue, path: ['values', ...issue.path] });
}

function documentName(document: unknown, index: number): string {
  if (!isObject(document)) return `document ${index + 1}`;
  if ('values' in document && !('kind' in document)) return 'values';
  const metadata = isObject(document.metadata) ? document.metadata : {};
  const words = [document.kind, metadata.namespace, metadata.name].filter((word) => typeof word === 'string');
  return typeof metadata.name === 'string' ? words.join('/') : `document ${index + 1}`;
}

function issueFaults(document: string, issue: z.core.$ZodIssue): readonly PolicyFault[] {
  const field = fieldPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      document,
      field: fieldPath([...issue.path, key]),
      problem: 'is not a field of this resource: remove it or correct its spelling',
    }));
  }
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid'))
    return [{ document, field, problem: `must be ${issue.values.map(String).join(' or ')}` }];
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid')) {
    return [
      {
        document,
        field,
        problem: issue.message.endsWith('undefined')
          ? `is missing: write a value of type ${issue.expected}`
          : `must be of type ${issue.expected}${issue.expected === 'string' ? '; in YAML put it in quotes' : ''}`,
      },
    ];
  }
  return [{ document, field, problem: issue.message.charAt(0).toLowerCase() + issue.message.slice(1) }];
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
