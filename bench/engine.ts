// A process that has loaded the detector with its words and examined a text (bench/engine-memory.ts).
import { scanText } from '#phi/scan.ts';
import { tellMemory } from './rest.ts';

scanText('Patient Wanda Quigley (MRN 40312287) was seen on 3/14/2024 in Galveston, TX.', 'whole');
await tellMemory();
