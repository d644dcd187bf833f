import { parse } from 'yaml';
import { z } from 'zod';

const image = z.looseObject({ repository: z.string(), tag: z.string().catch(''), digest: z.string().catch('') });
const documentSchema = z.looseObject({
  global: z.looseObject({ imageRegistry: z.string().catch('') }).catch({ imageRegistry: '' }),
  sidecar: z.looseObject({ image }),
  init: z.looseObject({ image }).optional(),
});

/**
 * The image that the release gives to guarded pods now.
 * @param document text of the release's `values.yaml`
 * @returns null where the document does not say it
 */
export function wantedImage(document: string | null, program: 'sidecar' | 'init'): string | null {
  const parsed = documentSchema.safeParse(readYaml(document ?? ''));
  const wanted = parsed.data?.[program]?.image;
  if (!parsed.success || wanted === undefined) return null;
  const { repository, tag, digest } = wanted;
  const registry = parsed.data.global.imageRegistry.replace(/\/$/, '');
  return `${registry === '' ? '' : `${registry}/`}${repository}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
