import { isRefusedByOwnAttempt } from './retry.ts';

/**
 * The checksum that S3 answers to a conditional write of a whole object. A refusal after an own
 * attempt whose answer was lost is an acknowledgement too: S3 has checked `sent` then.
 */
export async function acknowledgedOf(
  write: Promise<{ readonly ChecksumCRC32?: string | undefined }>,
  sent: string,
): Promise<string | undefined> {
  try {
    return (await write).ChecksumCRC32;
  } catch (error) {
    if (isRefusedByOwnAttempt(error)) return sent;
    throw error;
  }
}
