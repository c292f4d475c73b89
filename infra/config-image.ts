import { z } from 'zod';
import type { SourceSettings } from './config-source.ts';

export const imageSchema = z
  .strictObject({
    architecture: z
      .enum(['x86_64', 'arm64'], { error: 'must be x86_64 or arm64' })
      .default('x86_64'),
    /** `upstream`: the .deb of its release page. `debian`: the distribution's 0.10. */
    mydumper: z
      .enum(['upstream', 'debian'], { error: 'must be upstream or debian' })
      .default('upstream'),
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+-\d+$/, { error: 'must be a release of mydumper such as 1.0.1-3' })
      .default('1.0.1-3'),
    /** Of the .deb; without it the build of the image stops and prints the one it found. */
    sha256: z
      .string()
      .regex(/^([0-9a-f]{64})?$/, { error: 'must be a SHA-256 in 64 lower-case hex digits' })
      .default(''),
    /** Includes the certificate authorities of RDS. */
    rdsCa: z.boolean().default(true),
    /** A base image other than the Dockerfile's, such as one pinned by digest or from a mirror. */
    base: z
      .string()
      .regex(/^[\w./:@-]+$/, { error: 'must be an image reference' })
      .optional(),
  })
  .prefault({});
export type ImageSettings = Readonly<z.infer<typeof imageSchema>>;

export function mistakesInImage(
  image: ImageSettings,
  sources: readonly SourceSettings[],
): string[] {
  return sources.flatMap(({ tls }, index) =>
    tls.mode.startsWith('verify') && !image.rdsCa && tls.caFile === undefined
      ? [
          `sources[${index}].tls: ${tls.mode} needs certificate authorities: set ` +
            'image.rdsCa, or caFile to a file that your image holds',
        ]
      : [],
  );
}
