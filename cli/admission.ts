import { parse } from 'yaml';
import { z } from 'zod';
import { LABEL } from '#contract/labels.ts';
import { LIMIT } from '#contract/limit.ts';
import {
  type AdmissionContext,
  denyBody,
  reviewAdmission,
  type ReviewedAdmission,
} from '#controller/admission/review.ts';
import { reviewNamespace } from '#controller/admission/request.ts';
import { compileSettings } from '#controller/admission/settings.ts';
import { parseAdmissionValues } from '#controller/admission/values.ts';
import { parseArguments } from './arguments.ts';
import { type CommandIo, UsageError } from './io.ts';
import { readLines } from './line-reader.ts';

const HELP = `usage: lazaret admission review [--config FILE] [--jsonl] < review.json

Answers an AdmissionReview (admission.k8s.io/v1) as the webhook of a cluster would.
  --config FILE  YAML or JSON: {values: the chart's values, namespace: {name, labels}}, both optional
  --jsonl        one review a line, one answer a line
Exit code: 0 allowed, 1 denied; with --jsonl 0 when every line was answered.
`;

const CONFIG = z.strictObject({
  values: z.unknown().optional(),
  namespace: z
    .strictObject({ name: z.string().min(1).optional(), labels: z.record(z.string(), z.string()).default({}) })
    .default({ labels: { [LABEL.guard]: 'labelled' } }),
});

/**
 * This key is public, so a mark made here means nothing to a controller; it is constant so that a second call finds the
 * mark of the first, as a reinvocation does.
 */
const PREVIEW_KEY = new TextEncoder().encode('lazaret admission review: a public key');

/** The namespace of reviews that name none. */
const DEFAULT_NAMESPACE = 'phi';

interface Preview extends Pick<AdmissionContext, 'settings' | 'exemptions' | 'key'> {
  readonly labels: Readonly<Record<string, string>>;
  /** The configuration's name; a review's own counts where it gives none. */
  readonly name: string | undefined;
}

/**
 * `lazaret admission`: shows what the webhook would answer.
 * @param args the words after `admission`
 * @returns the exit code
 * @throws UsageError when the arguments or the configuration are not usable
 */
export async function admission(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { config: 'value', jsonl: 'switch', json: 'switch', help: 'switch' });
  if (given.has('help')) {
    io.stdout(HELP);
    return 0;
  }
  if (given.positionals.length !== 1 || given.positionals[0] !== 'review')
    throw new UsageError(
      'the one command of lazaret admission is review: lazaret admission review [--config FILE] [--jsonl] < review.json',
    );
  const preview = await readPreview(given.value('config'), io);
  return given.has('jsonl') ? answerLines(preview, io) : answerOne(preview, io);
}

async function answerLines(preview: Preview, io: CommandIo): Promise<number> {
  for await (const line of readLines(io.stdin, LIMIT.admissionBytes))
    io.stdout(`${JSON.stringify(answer(line, preview).review)}\n`);
  return 0;
}

async function answerOne(preview: Preview, io: CommandIo): Promise<number> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of io.stdin) {
    bytes += chunk.byteLength;
    if (bytes <= LIMIT.admissionBytes) text += decoder.decode(chunk, { stream: true });
  }
  const answered = answer(bytes > LIMIT.admissionBytes ? null : text + decoder.decode(), preview);
  io.stdout(`${JSON.stringify(answered.review, null, 2)}\n`);
  return answered.review.response.allowed ? 0 : 1;
}

/** @param text one review, or null for one that was too long to keep */
function answer(text: string | null, preview: Preview): ReviewedAdmission {
  if (text === null) return denyBody(413, `it is longer than ${LIMIT.admissionBytes} bytes.`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return denyBody(400, 'it is not JSON.');
  }
  const { settings, exemptions, key, labels } = preview;
  const name = preview.name ?? (reviewNamespace(body) || DEFAULT_NAMESPACE);
  return reviewAdmission(body, { settings, exemptions, key, namespace: { name, labels }, now: Date.now() });
}

async function readPreview(path: string | undefined, io: CommandIo): Promise<Preview> {
  const config = CONFIG.safeParse(path === undefined ? {} : ((await readConfig(path, io)) ?? {}));
  if (!config.success)
    throw new UsageError(
      config.error.issues
        .map((issue) => `${path ?? 'the configuration'}: ${issue.path.join('.')}: ${issue.message}`)
        .join('\n'),
    );
  const values = parseAdmissionValues(config.data.values);
  if (!values.ok)
    throw new UsageError(values.faults.map((fault) => `${path ?? 'the configuration'}: ${fault}`).join('\n'));
  // The release's keys exist only in its cluster: their files stand here under their names, empty.
  const settings = compileSettings(values.values, { bundleKeys: '', releaseAuthority: '' }, []);
  return {
    settings,
    exemptions: [],
    key: PREVIEW_KEY,
    labels: config.data.namespace.labels,
    name: config.data.namespace.name,
  };
}

async function readConfig(path: string, io: CommandIo): Promise<unknown> {
  const text = await io.readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read: name a file that exists and that you may read`);
  });
  try {
    return parse(text);
  } catch {
    throw new UsageError(`${path} is not YAML or JSON: write {values: ..., namespace: {name: ..., labels: ...}}`);
  }
}
