import { parseArgs } from 'node:util';
import { UsageError } from './io.ts';

/** What a command takes: option name to whether it has a value, may be repeated, or is a switch. */
export type OptionTable = Readonly<Record<string, 'value' | 'values' | 'switch'>>;

/** Parsed arguments of a command. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** @returns the option's value, or undefined when it was not given */
  value(name: string): string | undefined;
  /** @throws UsageError when the option was not given */
  required(name: string): string;
  /** @returns every value of a repeatable option, in order */
  values(name: string): readonly string[];
  has(name: string): boolean;
}

/**
 * Parses a command's arguments strictly.
 * @throws UsageError that names the argument which is not understood
 */
export function parseArguments(args: readonly string[], table: OptionTable): Arguments {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, form]) => [
      name,
      form === 'switch' ? { type: 'boolean' as const } : { type: 'string' as const, multiple: form === 'values' },
    ]),
  );
  const { values, positionals } = parse([...args], options);
  const valueOf = (name: string) => {
    const given = values[name];
    return typeof given === 'string' ? given : undefined;
  };
  return {
    positionals,
    value: valueOf,
    required: (name) => valueOf(name) ?? missing(name),
    values: (name) => {
      const given = values[name];
      return Array.isArray(given) ? given.filter((item) => typeof item === 'string') : [];
    },
    has: (name) => values[name] === true,
  };
}

function missing(name: string): never {
  throw new UsageError(`--${name} is required: see --help`);
}

function parse(args: string[], options: Record<string, { type: 'boolean' } | { type: 'string'; multiple: boolean }>) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const sentence = error instanceof Error ? (error.message.split('. ')[0] ?? '') : 'the arguments are not understood';
    throw new UsageError(`${sentence}: see --help`);
  }
}
