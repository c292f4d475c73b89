import type { ServerConfig } from '../../../app/config.ts';
import { type ToolTls, toolTls } from '../../../app/mydumper/tls.ts';
import { parseVersion } from '../../../app/mydumper/version.ts';

/** Recorded runs verify no certificate. */
export function recordedTls(tls: ServerConfig['tls'], tool: string): ToolTls {
  const version = parseVersion(tool);
  if (version === undefined) throw new Error(`not a version: ${tool}`);
  return toolTls(version, tls, { encrypted: false, fingerprint: undefined });
}
