import { z } from 'zod';

/** What one step of the application came to, one JSON line each. */
export const RESULT = z.discriminatedUnion('step', [
  z.object({
    step: z.enum(['anthropic-plain', 'anthropic-stream', 'openai-plain', 'openai-stream']),
    /** What the application got, or null with the reason. */
    text: z.string().nullable(),
    error: z.string().nullable(),
  }),
  z.object({
    step: z.literal('unapproved'),
    attempts: z.number(),
    status: z.number().nullable(),
    code: z.string().nullable(),
    message: z.string(),
  }),
  z.object({ step: z.literal('listed'), fingerprint: z.string().nullable(), error: z.string().nullable() }),
  z.object({ step: z.literal('unlisted'), error: z.string().nullable() }),
  z.object({ step: z.literal('quic'), error: z.string().nullable() }),
]);

export type Result = z.infer<typeof RESULT>;

/** A step that asks a model. */
export type ModelStep = Extract<Result, { readonly text: string | null }>['step'];

export const MODEL_STEPS = [
  'anthropic-plain',
  'anthropic-stream',
  'openai-plain',
  'openai-stream',
] as const satisfies readonly ModelStep[];
