import type { Target } from './target.ts';
import { configuration } from './targets/configuration.ts';
import { extraArguments } from './targets/extra-arguments.ts';
import { keys } from './targets/keys.ts';
import { log } from './targets/log.ts';
import { manifest } from './targets/manifest.ts';
import { optionFile, passwordOfMydumper } from './targets/option-file.ts';
import { patterns } from './targets/patterns.ts';
import { redaction } from './targets/redaction.ts';
import { slowTexts } from './targets/slow-texts.ts';
import { sql } from './targets/sql.ts';
import { staging } from './targets/staging.ts';
import { statements } from './targets/statements.ts';

export const targets: readonly Target[] = [
  configuration,
  manifest,
  log,
  staging,
  optionFile,
  passwordOfMydumper,
  extraArguments,
  keys,
  sql,
  statements,
  patterns,
  redaction,
  slowTexts,
];
