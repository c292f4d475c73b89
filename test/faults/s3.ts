import type { FaultCase } from './case.ts';
import { s3Claims } from './s3-claims.ts';
import { s3Ended } from './s3-ended.ts';
import { s3RiddenOut } from './s3-ridden-out.ts';

export const s3Faults: readonly FaultCase[] = [...s3RiddenOut, ...s3Claims, ...s3Ended];
