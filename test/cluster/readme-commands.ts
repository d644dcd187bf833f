import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The commands of a section of a document, as they are printed.
 * @throws where the section or its block of commands is missing
 */
export function readCommands(document: string, heading: string): readonly string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const [, section = ''] = `\n${text}`.split(`\n${heading}\n`);
  const block = /```sh\n(?<commands>.*?)```/s.exec(section.split(/\n#+ /)[0] ?? '')?.groups?.['commands'];
  if (block === undefined) throw new Error(`${document} has no commands under "${heading}"`);
  return block.split('\n').filter((line) => line !== '');
}
