import { parseRequest } from '#llm/parse-request.ts';
import { redact } from '#phi/redact.ts';

/** The names that the stand-in upstream is asked by. */
export const LLM_HOST = 'api.anthropic.com';
/** A name that policy lists: spliced. */
export const LISTED_HOST = 'records.example.org';

const SYSTEM = `You are a clinical documentation assistant at a county hospital. Answer from the note only. Write plain prose.`;

/** Everybody and every number in it is invented. */
const NOTE = `DISCHARGE SUMMARY

Patient: Marguerite Hollander    MRN: 48120937    DOB: 03/14/1951
Address: 2217 Juniper Ridge Road, Traverse City, MI 49684
Phone: (231) 555-0148    Email: m.hollander51@example.com
Admitted: 11/02/2024    Discharged: 11/07/2024
Attending: Dr. Tobias Okonkwo    Emergency contact: Lionel Hollander, (231) 555-0177

Mrs. Hollander is a 73-year-old woman with heart failure with reduced ejection fraction (LVEF 30%), type 2 diabetes mellitus
and stage 3b chronic kidney disease who came to the emergency department on November 2 with four days of worsening
shortness of breath, orthopnea and a weight gain of 4.5 kg. On arrival blood pressure was 158/92 mmHg, heart rate 104,
oxygen saturation 88% on room air. BNP was 1,840 pg/mL, troponin was not elevated, creatinine 1.9 mg/dL from a baseline
of 1.6. Chest radiograph showed bilateral pleural effusions and interstitial edema.

She was given intravenous furosemide 80 mg twice daily with a net loss of 5.2 L over four days. Carvedilol was held on the
first day and resumed at 6.25 mg twice daily. Empagliflozin 10 mg daily was started on 11/05/2024 after discussion with
Dr. Okonkwo. Her son Lionel Hollander was at the bedside and confirmed that she had run out of torsemide in October.

Telemetry showed sinus rhythm with rare premature ventricular beats and no sustained arrhythmia. Echocardiography on 11/04/2024
confirmed an ejection fraction of 30% with moderate functional mitral regurgitation, unchanged from the study of May 2023. Iron
studies were consistent with deficiency (ferritin 61 ng/mL, transferrin saturation 14%) and ferric carboxymaltose 750 mg was given
before discharge. Nutrition and pharmacy saw her; she was able to repeat the daily weight plan and the sodium limit of 2 g.

At discharge her weight was 71.3 kg, blood pressure 122/70, creatinine 1.7 mg/dL. Medications: torsemide 40 mg daily,
carvedilol 6.25 mg twice daily, sacubitril-valsartan 24/26 mg twice daily, empagliflozin 10 mg daily, atorvastatin 40 mg.
Follow-up with cardiology (Dr. Ana Lindqvist) on 11/14/2024; basic metabolic panel in one week. Insurance member ID
HPX-8841-2093. Marguerite Hollander was told to call (231) 555-0100 if her weight rises by more than 1.5 kg in a day.`;

const QUESTION =
  'Write a letter to the referring physician in three sentences that names the patient and the next visit.';

/** One request body and what it is for. */
export interface Prompt {
  readonly body: Buffer;
  /** What the model would have said: it names surrogates, so that there is something to restore. */
  readonly answer: Buffer;
  /** What of the answer the application must get. */
  readonly restored: string;
}

/** An Anthropic Messages request of about 2.6 KB; the plain one unless `stream`. */
export function smallBody(stream: boolean): Buffer {
  return bodyOf(`${NOTE}\n\n${QUESTION}`, stream);
}

/** The same kind of text, repeated with other names and numbers to at least so many bytes. */
export function largeBody(bytes: number): Buffer {
  return bodyOf(`${notesOf(bytes)}\n\n${QUESTION}`, false);
}

/** The note again and again with other numbers, at least so many characters. */
export function notesOf(length: number): string {
  const notes: string[] = [];
  for (let size = 0, ordinal = 0; size < length; ordinal++) {
    const note = NOTE.replaceAll('48120937', String(48_120_937 + ordinal)).replaceAll(
      '0148',
      String(1_000 + (ordinal % 9_000)),
    );
    notes.push(note);
    size += note.length + 64;
  }
  return notes.join('\n\n');
}

/** The small prompt with an answer that fits it, made by the guard's own redaction. */
export function makePrompt(): Prompt {
  const body = smallBody(false);
  const parse = parseRequest('anthropic-messages', { body, headers: [], allowMedia: false });
  if (parse.kind === 'refused') throw new Error(`the bench's own prompt is refused: ${parse.refusal.where ?? ''}`);
  const redacted = redact(parse.request.sites, { dates: 'keep-year', actions: {} });
  if (redacted.kind === 'refused') throw new Error("the bench's own prompt is refused by its identifiers");
  const entries = redacted.vault.entries();
  const of = (...entities: readonly string[]) => entries.filter(({ entity }) => entities.includes(entity));
  const cited = [
    ...of('name').slice(0, 3),
    ...of('mrn').slice(0, 1),
    ...of('date').slice(0, 2),
    ...of('phone').slice(0, 1),
  ];
  if (cited.length < 5) throw new Error("the guard found too little in the bench's own prompt");
  const said = cited.map(({ surrogate }) => `It mentions ${surrogate} and the plan of care.`).join(' ');
  const text = `The summary was read in full and is consistent with an episode of decompensated heart failure. ${said} ${CLOSING}`;
  const restored = cited.reduce(
    (whole, { surrogate, original }) => whole.replaceAll(surrogate, original.reveal()),
    text,
  );
  return { body, answer: Buffer.from(JSON.stringify(messageOf(text))), restored };
}

const CLOSING =
  'Diuresis was effective, renal function remained near its baseline, and guideline-directed therapy was adjusted before discharge; a metabolic panel should follow within a week.';

function messageOf(text: string) {
  return {
    id: 'msg_01BenchBenchBenchBenchBench',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 812, output_tokens: 164 },
  };
}

function bodyOf(content: string, stream: boolean): Buffer {
  return Buffer.from(
    JSON.stringify({
      model: 'claude-sonnet-4-5-20250929',
      max_tokens: 1_024,
      system: SYSTEM,
      messages: [{ role: 'user', content }],
      ...(stream ? { stream } : {}),
    }),
  );
}

/** A whole HTTP/1.1 request, as the load generator sends it over and over. */
export function requestBytes(host: string, port: number, body: Buffer): Buffer {
  const head = [
    'POST /v1/messages HTTP/1.1',
    `host: ${host}:${port}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: Anthropic/JS bench',
    'anthropic-version: 2023-06-01',
    'x-api-key: sk-ant-api03-bench-bench-bench-bench',
    `content-length: ${body.length}`,
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), body]);
}

/** The events of a streamed answer around `count` pieces of text. `piece` writes the text of each. */
export function* streamEvents(count: number, piece: (ordinal: number) => string): Generator<string> {
  const { content: _content, ...message } = messageOf('');
  yield event('message_start', { message: { ...message, content: [], stop_reason: null } });
  yield event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (let ordinal = 0; ordinal < count; ordinal++) {
    yield event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece(ordinal) } });
  }
  yield event('content_block_stop', { index: 0 });
  yield event('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: count },
  });
  yield event('message_stop', {});
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
