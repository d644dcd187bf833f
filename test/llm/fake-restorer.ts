import type { RestoreForm } from '#contract/text-site.ts';
import type { LaneRestorer } from '#llm/lane.ts';

/** A restorer over a fixed table, one pass, that holds the longest suffix which can begin a surrogate. */
export function fakeRestorer(table: Readonly<Record<string, string>>): (form: RestoreForm) => LaneRestorer {
  const surrogates = Object.keys(table).toSorted((a, b) => b.length - a.length);
  return (form) => {
    let held = '';
    const run = (text: string, isLast: boolean): readonly string[] => {
      let out = '';
      let at = 0;
      held = '';
      while (at < text.length) {
        const rest = text.slice(at);
        const whole = surrogates.find((surrogate) => rest.startsWith(surrogate));
        if (whole !== undefined) {
          out += form === 'json' ? JSON.stringify(table[whole]).slice(1, -1) : table[whole];
          at += whole.length;
        } else if (!isLast && surrogates.some((surrogate) => surrogate.startsWith(rest))) {
          held = rest;
          break;
        } else {
          out += text[at];
          at += 1;
        }
      }
      return out === '' ? [] : [out];
    };
    return {
      push: (text) => run(held + text, false),
      end: () => run(held, true),
      get held() {
        return held.length;
      },
    };
  };
}

/** Restores a whole text at once. */
export function restoreAll(table: Readonly<Record<string, string>>, text: string, form: RestoreForm): string {
  const restorer = fakeRestorer(table)(form);
  return [...restorer.push(text), ...restorer.end()].join('');
}
