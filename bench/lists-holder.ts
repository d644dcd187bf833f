// A sidecar's holding of lists, in a process of its own: started by bench/lists.ts, which tells it what policy names.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { PolicyLists } from '#contract/lists-protocol.ts';
import type { BundleServer } from '../sidecar/bundle/bundle-client.ts';
import { openServedLists, type ServedLists } from '../sidecar/lists/served-lists.ts';
import { warmUpEngine } from '../sidecar/warm-up.ts';
import { memoryMb } from './process.ts';

/** What the bench tells. */
export interface HolderOrder {
  readonly server: BundleServer;
  readonly tag: string;
}

/** What the bench is told: MB before, while the lists came, and then; and for how long nothing else was done at most. */
export interface HolderWord {
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
  readonly stallMs: number;
}

let wanted: PolicyLists | undefined;
let lists: ServedLists | null = null;
let told: (() => void) | null = null;

warmUpEngine();

process.on('message', ({ server, tag }: HolderOrder) => {
  const beforeMb = memoryMb(process.pid, 'VmRSS');
  // proc(5): the peak counts from here.
  writeFileSync('/proc/self/clear_refs', '5');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  told = () => {
    // A turn later, so that the delay of this one is counted.
    setTimeout(() => {
      const [peakMb, afterMb] = [memoryMb(process.pid, 'VmHWM'), memoryMb(process.pid, 'VmRSS')];
      process.send?.({ beforeMb, peakMb, afterMb, stallMs: delay.max / 1e6 } satisfies HolderWord);
      delay.disable();
    }, 200);
  };
  wanted = { tag };
  lists ??= openServedLists({ server, wanted: () => wanted, onLoad: () => told?.() });
  lists.consider();
});
