import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanText } from '#phi/scan.ts';
import { checkStructure, formatOf, type StructureFormat } from './check.ts';
import { ccdaDocuments } from './documents/ccda-documents.ts';
import { fhirDocuments } from './documents/fhir-documents.ts';
import { hl7Documents } from './documents/hl7-documents.ts';
import { invent, randomFrom } from './documents/people.ts';

/** What the engine left and broke in structured documents of one kind. */
export interface StructureScore {
  readonly files: number;
  /** Outputs that the format's parser reads, with the same elements, members and fields as before. */
  readonly parsed: number;
  /** Values that identify somebody by the format's specification, and how many of them can still be read. */
  readonly held: number;
  readonly leaks: number;
  readonly leaksByKind: Readonly<Record<string, number>>;
  /** Codes, units and results, and how many of them read otherwise afterwards. */
  readonly kept: number;
  readonly altered: number;
}

/** The sums over all documents. */
function scoreAll(documents: readonly { readonly format: StructureFormat; readonly text: string }[]): StructureScore {
  const leaksByKind: Record<string, number> = {};
  let [parsed, held, leaks, kept, altered] = [0, 0, 0, 0, 0];
  for (const { format, text } of documents) {
    const check = checkStructure(format, text, scanText(text, 'whole').redacted);
    if (check.parses) parsed++;
    held += check.held;
    kept += check.kept;
    leaks += check.leaks.length;
    altered += check.altered.length;
    for (const { kind } of check.leaks) leaksByKind[kind] = (leaksByKind[kind] ?? 0) + 1;
  }
  return { files: documents.length, parsed, held, leaks, leaksByKind, kept, altered };
}

/** Scores the files of a folder of public samples. */
export function scoreFolder(folder: string): StructureScore {
  const files = readdirSync(folder).filter((file) => /\.(?:json|ndjson|xml|hl7)$/.test(file));
  return scoreAll(files.map((file) => ({ format: formatOf(file), text: readFileSync(join(folder, file), 'utf8') })));
}

const MAKERS = { fhir: fhirDocuments, hl7: hl7Documents, ccda: ccdaDocuments } as const;

/** Scores generated documents of one format. @param half 0 for tuning, 1 is reported */
export function scoreGenerated(format: StructureFormat, half: 0 | 1, rounds = 4): StructureScore {
  const random = randomFrom(1 + half * 7_919);
  const texts = Array.from({ length: rounds }, () => MAKERS[format](invent(random), invent(random), invent(random)));
  return scoreAll(texts.flat().map((text) => ({ format, text })));
}
