/** A clinical note that nobody wrote about anybody: every person, number and place in it is invented. */
export const NOTE = `Discharge summary. Patient: Maria Gonzalez, born 03/14/1961, MRN 48213377.
Ms. Gonzalez was admitted on March 2, 2026 with community-acquired pneumonia and discharged on March 9, 2026.
She lives at 118 Willow Creek Road, Springfield, and can be reached at (217) 555-0142
or maria.gonzalez@example.com. Attending physician: Dr. James Whitfield.
Please summarize this for the patient in plain words and suggest a follow-up.`;

/** The identifiers in the note (45 CFR 164.514(b)(2)(i)), as they stand there. */
export const IDENTIFIERS = [
  'Maria Gonzalez',
  'Ms. Gonzalez',
  'Gonzalez',
  '03/14/1961',
  '48213377',
  'March 2, 2026',
  'March 9, 2026',
  '118 Willow Creek Road',
  '(217) 555-0142',
  'maria.gonzalez@example.com',
  'James Whitfield',
  'Whitfield',
] as const;

/** The names that the demo meets. */
export const DEMO_HOST = {
  anthropic: 'api.anthropic.com',
  openai: 'api.openai.com',
  /** A provider without an agreement. */
  unapproved: 'api.mistral.ai',
  /** A destination that policy lists, and one that it does not. */
  listed: 'example.org',
  unlisted: 'example.net',
} as const;
