// The application of a pod whose sidecar is killed: asks without end until its standard input does, and judges each answer.
import { setTimeout as pass } from 'node:timers/promises';

const NOTE = 'Please write to Mr. John Whitfield, MRN 48213377, phone (217) 555-0142. ';
const FILLER = 'The lungs are clear and the abdomen is soft; continue current therapy. ';
const counts = { whole: 0, refused: 0, broken: 0, wrong: 0 };
let ordinal = Number(process.argv[2]);
const over = new AbortController();
process.stdin.on('end', () => over.abort()).resume();

/** Streams end with their terminal event; what ends without it is broken, whatever it said. */
async function ask(lane) {
  const stream = lane % 2 === 0;
  const content = NOTE + FILLER.repeat(lane * lane * 8);
  const response = await fetch('https://api.anthropic.com/v1/messages', {
    method: 'POST',
    headers: {
      'x-api-key': 'sk-ant-api03-test',
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      model: 'm',
      max_tokens: ++ordinal,
      ...(stream ? { stream } : {}),
      messages: [{ role: 'user', content }],
    }),
  });
  const text = await response.text();
  if (response.status !== 200) counts.refused++;
  else if (stream && !text.includes('message_stop')) counts.broken++;
  else if (saidIn(text, stream) === content) counts.whole++;
  else counts.wrong++;
}

function saidIn(text, stream) {
  if (!stream) return JSON.parse(text).content[0].text;
  const events = text.split('\n').filter((line) => line.startsWith('data: '));
  return events.map((line) => JSON.parse(line.slice(6)).delta?.text ?? '').join('');
}

async function work(lane) {
  while (!over.signal.aborted) {
    try {
      await ask(lane);
    } catch {
      counts.broken++;
    }
    // As clients do: those that were refused wait, and none asks all of the time.
    await pass(20);
  }
}

console.log('up');
await Promise.all([0, 1, 2, 5].map(work));
console.log(JSON.stringify(counts));
