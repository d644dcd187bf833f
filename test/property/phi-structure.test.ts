import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact } from '#phi/redact.ts';
import { readHl7 } from '#test/eval/structure/hl7-contents.ts';
import { ccdaDocuments } from '#test/eval/structure/documents/ccda-documents.ts';
import { fhirDocuments } from '#test/eval/structure/documents/fhir-documents.ts';
import { hl7Documents } from '#test/eval/structure/documents/hl7-documents.ts';
import { invent, randomFrom } from '#test/eval/structure/documents/people.ts';

const random = randomFrom(99);
const people = [invent(random), invent(random), invent(random)] as const;
const [message = ''] = hl7Documents(...people);
const documents = [
  message,
  ...hl7Documents(...people).slice(4, 6),
  ...fhirDocuments(...people).slice(4, 9),
  ...ccdaDocuments(...people).slice(7),
];

function clean(text: string) {
  const result = redact([{ text, format: 'text', message: 1 }], { dates: 'whole', actions: {} });
  if (result.kind === 'refused') throw new Error('refused');
  return { out: result.texts[0] ?? '', spans: result.spans[0] ?? [], vault: result.vault };
}

test('however a structured document is cut or damaged, what replaces its pieces restores to exactly what was there', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.nat(),
      fc.nat(),
      fc.constantFrom('', '<', '"', '\\', '|', '&#', '\r', ']]>', '{', 'MSH|'),
      (document, start, length, junk) => {
        const from = start % document.length;
        const text = junk + document.slice(from, from + 200 + (length % 3_000)) + junk;
        const { out, spans, vault } = clean(text);
        let [rebuilt, at] = ['', 0];
        for (const span of spans) {
          expect(span.start).toBeGreaterThanOrEqual(at);
          const quoted = span.surrogate.replaceAll(/^\W+|\W+$/g, '');
          expect(vault.original(quoted)?.reveal()).toBeDefined();
          rebuilt += text.slice(at, span.start) + span.surrogate;
          at = span.end;
        }
        expect(rebuilt + text.slice(at)).toBe(out);
      },
    ),
    { numRuns: 60, seed: 7 },
  );
}, 120_000);

test('an HL7 message that ends anywhere has lost the identifiers of its whole segments', () => {
  const segments = message.split('\r').filter((segment) => segment !== '');
  fc.assert(
    fc.property(fc.nat({ max: segments.length - 2 }), fc.nat(), (count, cut) => {
      const whole = segments.slice(0, count + 2);
      const next = segments[count + 2] ?? '';
      const { out } = clean(`${whole.join('\r')}\r${next.slice(0, cut % (next.length + 1))}`);
      const held = readHl7(whole.join('\r')).held.filter(({ kind, value }) => kind === 'name' && value.length > 4);
      for (const { value } of held) expect(out.includes(value)).toBe(false);
    }),
    { numRuns: 20, seed: 7 },
  );
}, 120_000);
