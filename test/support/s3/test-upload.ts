import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3';

/** Bucket and key of the uploads that tests begin. */
export const Bucket = 'box';
export const Key = 'big';

/** A CRC32 as S3 shows it. */
export function base64Crc(bytes: Buffer): string {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(crc32(bytes));
  return out.toString('base64');
}

/** An upload begun, with the calls a test makes on it. */
export async function begin(
  client: S3Client,
  input: Partial<CreateMultipartUploadCommandInput> = {},
) {
  const created = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...input }),
  );
  const UploadId = created.UploadId ?? '';
  const target = { Bucket, Key: input.Key ?? Key, UploadId };
  return {
    UploadId,
    part: async (PartNumber: number, Body: Buffer, more: Partial<UploadPartCommandInput> = {}) => {
      const { ETag, ChecksumCRC32, ChecksumCRC64NVME } = await client.send(
        new UploadPartCommand({ ...target, PartNumber, Body, ...more }),
      );
      return { PartNumber, ETag, ChecksumCRC32, ChecksumCRC64NVME };
    },
    complete: (
      Parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32?: string | undefined }[],
      more: Partial<CompleteMultipartUploadCommandInput> = {},
    ) =>
      client.send(
        new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts }, ...more }),
      ),
    abort: () => client.send(new AbortMultipartUploadCommand(target)),
  };
}
