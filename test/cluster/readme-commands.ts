import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The commands of a section of a document, as they are printed: those of its first block.
 * @throws where the section or its block of commands is missing
 */
export function readCommands(document: string, heading: string): readonly string[] {
  const [first = []] = readCommandBlocks(document, heading);
  return first;
}

/**
 * The blocks of commands of a section of a document, in order.
 * @throws where the section is missing or has none
 */
export function readCommandBlocks(document: string, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const [, section = ''] = `\n${text}`.split(`\n${heading}\n`);
  const blocks = [...(section.split(/\n#+ /)[0] ?? '').matchAll(/```sh\n(.*?)```/gs)];
  if (blocks.length === 0) throw new Error(`${document} has no commands under "${heading}"`);
  return blocks.map(([, commands = '']) => commands.split('\n').filter((line) => line !== ''));
}
