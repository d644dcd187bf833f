/** What stands in a record for a string that may not be written in clear. The sealed body still holds it. */
export const UNLISTED = 'unlisted';

const WORD = /^[A-Za-z0-9][A-Za-z0-9._:/@*-]{0,127}$/;
const WORKLOAD = /^[a-z0-9](?:[a-z0-9.:/-]{0,251}[a-z0-9])?$/;
const MODEL = /^[a-z][a-z0-9._:/@-]{0,127}$/;
const ADDRESS = /^[0-9a-f.:]{2,45}$/;
// Groups of digits a patient's number could hide in: SSN and phone groupings, and runs longer than a date.
const NUMBER_LIKE = /\d{9,}|\d{3}[-.]\d{2}[-.]\d{4}|\d{3}[-.]\d{3}[-.]\d{4}|\d{3}[-.]\d{4}(?!\d)/;

/** Lets a word of our own making or of policy through: ids, serials, check names, dialects. @returns it or `unlisted` */
export function clearWord(text: string): string {
  return WORD.test(text) ? text : UNLISTED;
}

/** Lets a workload identity through: Kubernetes names joined by `/` or `:`. */
export function clearWorkload(text: string): string {
  return WORKLOAD.test(text) ? text : UNLISTED;
}

/**
 * Lets a model name through. The application chooses it, so a caller could write a patient's number or name there: only
 * lower-case model ids pass, without a group of digits that reads as a person's number.
 */
export function clearModel(text: string): string {
  return MODEL.test(text) && !NUMBER_LIKE.test(text) ? text : UNLISTED;
}

/** Lets an IP address in text form through. */
export function clearAddress(text: string): string {
  return ADDRESS.test(text) ? text : UNLISTED;
}

/** Null stays null; text passes the filter. */
export function clearOr(text: string | null, filter: (text: string) => string): string | null {
  return text === null ? null : filter(text);
}
