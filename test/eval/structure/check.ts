import { readCcda } from './ccda-contents.ts';
import { readFhir } from './fhir-contents.ts';
import type { Contents } from './held.ts';
import { readHl7 } from './hl7-contents.ts';
import { findLeaks, type Leak } from './leaks.ts';

export type StructureFormat = 'fhir' | 'hl7' | 'ccda';

/** What a redaction left and broke in one structured document. */
export interface StructureCheck {
  /** Values that identify somebody, by the format's specification. */
  readonly held: number;
  readonly leaks: readonly Leak[];
  /** Codes, units and results before, and those that read otherwise afterwards. */
  readonly kept: number;
  readonly altered: readonly string[];
  /** The output is read by the format's parser and has the same elements, members and fields. */
  readonly parses: boolean;
}

const READERS: Readonly<Record<StructureFormat, (text: string) => Contents>> = {
  fhir: readFhir,
  hl7: readHl7,
  ccda: readCcda,
};

export function formatOf(file: string): StructureFormat {
  return file.endsWith('.json') || file.endsWith('.ndjson') ? 'fhir' : file.endsWith('.hl7') ? 'hl7' : 'ccda';
}

/** Compares a document with what became of it. @throws Error where the document itself cannot be read */
export function checkStructure(format: StructureFormat, document: string, output: string): StructureCheck {
  const before = READERS[format](document);
  const after = tryRead(format, output);
  const held = before.held.length;
  const kept = before.kept.length;
  if (after === undefined) return { held, leaks: [], kept, altered: [], parses: false };
  const altered = before.kept
    .filter(([, value], index) => after.kept[index]?.[1] !== value)
    .map(([path, value], index) => `${path} ${value} (${index})`);
  return {
    held,
    leaks: findLeaks(before.held, output, after),
    kept,
    altered: before.kept.length === after.kept.length ? altered : lost(before, after),
    parses: before.shape === after.shape,
  };
}

function tryRead(format: StructureFormat, text: string): Contents | undefined {
  try {
    return READERS[format](text);
  } catch {
    return undefined;
  }
}

/** Where something that was kept became something else, the two lists do not agree place by place any more. */
function lost(before: Contents, after: Contents): readonly string[] {
  const counts = new Map<string, number>();
  for (const [path, value] of after.kept) counts.set(`${path} ${value}`, (counts.get(`${path} ${value}`) ?? 0) + 1);
  return before.kept.flatMap(([path, value]) => {
    const key = `${path} ${value}`;
    const left = counts.get(key) ?? 0;
    counts.set(key, left - 1);
    return left > 0 ? [] : [key];
  });
}
