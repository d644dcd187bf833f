import type { RestoreForm } from '#contract/text-site.ts';
import type { Transducer } from '#contract/transducer.ts';

/** Restores one lane of text. `held`, where it is known, is the number of characters kept back. */
export type LaneRestorer = Transducer<string, string> & { readonly held?: number };

/** A run of text that belongs together: one content block, one choice's content, one tool call's arguments. */
interface Lane {
  readonly restorer: LaneRestorer;
  /** Writes an event that carries text of this lane. */
  readonly write: (text: string) => string;
}

/** What opening a lane needs. */
export interface LaneSpec {
  readonly form: RestoreForm;
  readonly write: (text: string) => string;
}

/** The open lanes of a stream, in the order they were opened. */
export interface Lanes {
  /** Whether a lane is open. */
  has(key: string): boolean;
  /** Feeds text to a lane, opening it when it is new. @returns what is certain, or null when too many lanes are open */
  feed(key: string, spec: LaneSpec, text: string): string | null;
  /** Ends one lane and gives what it held, without an event around it. */
  drain(key: string): string;
  /** Ends the lanes whose key the predicate takes. @returns an event for each that held something */
  flush(takes: (key: string) => boolean): string;
  /** Characters held in all lanes. */
  held(): number;
}

/** @param limit how many lanes may be open together */
export function createLanes(restorer: (form: RestoreForm) => LaneRestorer, limit: number): Lanes {
  const lanes = new Map<string, Lane>();
  const drain = (key: string): string => {
    const lane = lanes.get(key);
    lanes.delete(key);
    return lane === undefined ? '' : lane.restorer.end().join('');
  };
  return {
    has: (key) => lanes.has(key),
    feed: (key, spec, text) => {
      let lane = lanes.get(key);
      if (lane === undefined) {
        if (lanes.size >= limit) return null;
        lane = { restorer: restorer(spec.form), write: spec.write };
        lanes.set(key, lane);
      }
      return lane.restorer.push(text).join('');
    },
    drain,
    flush: (takes) => {
      let out = '';
      for (const [key, lane] of lanes) {
        if (!takes(key)) continue;
        const text = drain(key);
        if (text !== '') out += lane.write(text);
      }
      return out;
    },
    held: () => [...lanes.values()].reduce((sum, lane) => sum + (lane.restorer.held ?? 0), 0),
  };
}
