// A process that does nothing: what bench/engine.ts is compared with.
import { tellMemory } from './rest.ts';

await tellMemory();
