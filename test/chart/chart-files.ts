import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Where the chart lies. */
export const CHART = join(import.meta.dirname, '../../charts/lazaret');

/** A file of the chart. @param path below the chart's folder */
export function readChart(path: string): string {
  return readFileSync(join(CHART, path), 'utf8');
}

/** All template files, by path below the chart's folder. */
export function templateFiles(): readonly string[] {
  return readdirSync(join(CHART, 'templates'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(CHART.length + 1));
}

/** The parts of an OpenAPI v3 schema that the chart's resources use. */
export interface OpenApi {
  readonly description?: string;
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApi>>;
  readonly additionalProperties?: OpenApi;
  readonly items?: OpenApi;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-kubernetes-validations'?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fieldPath?: string;
  }[];
}

/** A CustomResourceDefinition of the chart. */
export interface Definition {
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly [
      {
        readonly name: string;
        readonly subresources: unknown;
        readonly additionalPrinterColumns: readonly { readonly name: string; readonly jsonPath: string }[];
        readonly schema: { readonly openAPIV3Schema: OpenApi };
      },
    ];
  };
}

/** @param kind ProviderAgreement, EgressPolicy or GuardExemption */
export function readDefinition(kind: string): Definition {
  for (const file of readdirSync(join(CHART, 'files/crds'))) {
    const definition = parse(readChart(`files/crds/${file}`)) as Definition;
    if (definition.spec.names.kind === kind) return definition;
  }
  throw new Error(`no definition of ${kind}`);
}

/** The schema of a kind's `spec`. */
export function specSchema(kind: string): OpenApi {
  const spec = readDefinition(kind).spec.versions[0].schema.openAPIV3Schema.properties?.spec;
  if (spec === undefined) throw new Error(`${kind} has no spec`);
  return spec;
}
