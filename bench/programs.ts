import { existsSync } from 'node:fs';

/** Debian's, where there is one: others that come first on the PATH may be of any version. */
export const AWS = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';
