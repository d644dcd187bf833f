import { Session } from 'node:inspector/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { scanText } from '#phi/scan.ts';

/** Repetitions that make naive patterns quadratic: at least one for each recognizer and each structure. */
const UNITS = [
  'a',
  '1',
  '@',
  '(',
  '{',
  '[',
  '"',
  '\\',
  '_',
  '-',
  '.',
  "'",
  '<',
  '&',
  '|',
  '^',
  'Maria ',
  'maria ',
  'John Smith ',
  'ROE, JANE ',
  'Dr. ',
  'Dr. A. ',
  'Mr. van der ',
  'named ',
  'J. ',
  "O'Brien's ",
  'St. ',
  "St. Luke's ",
  'Hospital of ',
  'Lakeside Clinic and ',
  'and Xyzz, ',
  'in Brackenford ',
  'Boston, MA ',
  'New York ',
  '12 Main ',
  '12 Old Mill Rd Apt 4, ',
  'Storgatan 12 ',
  'Hauptstr. ',
  'PO Box 1 ',
  'ZIP 12345 ',
  'APO AE 09012 ',
  '1-',
  '12/',
  '1/2/',
  '12-Apr-',
  'March 3 and ',
  'May ',
  'on 3/4 ',
  '20240102 ',
  'Christmas ',
  '555 ',
  '217-555-0142 ',
  '1.2.3.',
  '123-45-6789 ',
  '4111 1111 1111 1111 ',
  '+1 ',
  'x1 ',
  'MRN ',
  'MRN 12345 ',
  'id no. ',
  'AB-1234-',
  'aB1+',
  'GB29 NWBK ',
  'deadbeef-',
  'aa:',
  '1:',
  'a@b.',
  'http://',
  'www.a.',
  'aged ninety ',
  '94 y ',
  '80 mg ',
  '[1,',
  '{"a":',
  '["a",',
  '{"a":"',
  '{"a":"\\n',
  '<a b="',
  '<a>',
  '&amp;',
  'MSH|',
  'MSH|^~\\&|A\r',
  'PID|1||A&B^C~D^E|',
  'OBX|1|ED|||^^^Base64^T3R0byBRdWlsbGVu\r',
  '\\X41\\',
  'T3R0byBRdWlsbGVu ',
  '4f74746f205175696c6c656e ',
  '"a,mrn\n',
  'mrn;b\n',
  '<name>',
  '<a mrn="',
  '2.16.840.',
  'PID|1||',
  'name,mrn\n',
  '|a|mrn|\n',
  'n_1a',
  'NAME_1a',
]; // prettier-ignore

const session = new Session();
let scan: typeof scanText;

/** Counting begins before the engine is loaded: V8 counts the turns of loops only in what it compiles afterwards. */
beforeAll(async () => {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  scan = (await import('#phi/scan.ts')).scanText;
});
afterAll(() => session.disconnect());

/** How often pieces of the engine's code ran: loops count each turn. What V8 does inside (patterns, searches) does not count. */
async function steps(text: string): Promise<number> {
  await session.post('Profiler.takePreciseCoverage');
  scan(text, 'whole');
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const own = result.filter(({ url }) => /\/phi\/[^?]*\.ts/.test(url) && !url.includes('/test/'));
  return own
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .reduce((sum, { count }) => sum + count, 0);
}

function repeated(unit: string, size: number): string {
  return unit.repeat(Math.ceil(size / unit.length));
}

const SMALL = 4_096;
const TIMES = 8;

test('the steps of the engine grow with the length of hostile text, not with its square', async () => {
  scan('Patient Maria Gonzalez', 'whole');
  const steep: string[] = [];
  for (const unit of UNITS) {
    const small = await steps(repeated(unit, SMALL));
    const large = await steps(repeated(unit, SMALL * TIMES));
    expect(small).toBeGreaterThan(SMALL / 4);
    // A part in a thousand that is quadratic would show: eight times the text would cost more than eight times the steps.
    if (large > 1.2 * TIMES * small + 20_000) steep.push(`${JSON.stringify(unit)} ${small} ${large}`);
  }
  expect(steep).toEqual([]);
}, 240_000);

/** What V8's own searches and patterns are used on. */
const SEARCHED = ['{', '[', '"', '_', '<a b="', '&amp;', 'a@b.', 'http://', 'MSH|', 'name,mrn\n', '{"a":"', '1-'];

function cpuOf(unit: string, size: number): number {
  const text = repeated(unit, size);
  const from = process.cpuUsage();
  try {
    scan(text, 'whole');
  } catch (fault) {
    // More findings than a request may hold: a refusal, and it too must come in time.
    expect(String(fault)).toContain('bounds');
  }
  const used = process.cpuUsage(from);
  return used.user + used.system;
}

test('time of the processor for a megabyte of hostile text is that of its parts', async () => {
  // Counting would slow it down.
  await session.post('Profiler.stopPreciseCoverage');
  const slow: string[] = [];
  for (const unit of SEARCHED) {
    const small = Math.min(cpuOf(unit, 65_536), cpuOf(unit, 65_536));
    const large = cpuOf(unit, 1_048_576);
    // Sixteen times the text; quadratic work would cost 256 times.
    if (large > 64 * Math.max(small, 4_000)) slow.push(`${JSON.stringify(unit)} ${small} ${large}`);
  }
  expect(slow).toEqual([]);
}, 240_000);
