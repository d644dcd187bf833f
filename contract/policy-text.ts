import { parseAllDocuments } from 'yaml';
import { LIMIT } from './limit.ts';
import type { PolicyFault, SourceResult } from './policy-source.ts';
import { parseSource } from './policy-source.ts';

/**
 * Reads the text of a bundle source: a YAML stream, or a JSON list (which YAML reads too).
 * @returns the source, or every fault that can be told together; where the YAML itself is broken, its faults with their lines
 */
export function readSource(text: string): SourceResult {
  if (text.length > LIMIT.bundleBytes)
    return {
      ok: false,
      faults: [{ document: 'source', field: '', problem: `is larger than ${LIMIT.bundleBytes} bytes: split it` }],
    };
  const documents = parseAllDocuments(text, { uniqueKeys: true, version: '1.2', logLevel: 'error' });
  const list = Array.isArray(documents) ? documents : [];
  const faults: readonly PolicyFault[] = list.flatMap((document, index) =>
    document.errors.map((error) => ({
      document: `document ${index + 1}`,
      field: `line ${error.linePos?.[0].line ?? '?'}`,
      problem: firstSentence(error.message),
    })),
  );
  if (faults.length > 0) return { ok: false, faults };
  try {
    return parseSource(list.map((document): unknown => document.toJS({ maxAliasCount: 100 })));
  } catch {
    return {
      ok: false,
      faults: [
        { document: 'source', field: '', problem: 'uses YAML aliases beyond what is resolved: write the values out' },
      ],
    };
  }
}

/** The parser adds the line's text below its sentence. */
function firstSentence(message: string): string {
  return message.split(/ at line |\n/)[0] ?? 'is not YAML';
}
