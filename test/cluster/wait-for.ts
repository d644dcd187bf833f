import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 200;

/**
 * Asks again until there is an answer.
 * @param what for the message when time is up
 * @param ask gives null as long as it is not so; a throw counts as not yet
 * @throws when there is none within the time, with the last fault
 */
export async function waitFor<T>(what: string, ask: () => Promise<T | null>, seconds = 60): Promise<T> {
  const end = performance.now() + seconds * 1000;
  let fault = '';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
      fault = '';
    } catch (error) {
      fault = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > end) throw new Error(`after ${seconds} s still waiting for ${what}${fault}`);
    await delay(PAUSE_MS);
  }
}
