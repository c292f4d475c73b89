import { listObjects } from './listing.ts';
import { deleteObjects, getObject, putObject } from './objects.ts';
import type { Bucket } from './store.ts';
import type { Answer, Target } from './types.ts';
import { listMultipartUploads, listParts } from './upload-listing.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './uploads.ts';
import { listObjectVersions, putBucketVersioning } from './version-listing.ts';
import { xmlDocument } from './xml.ts';

/** Carries out an operation on an existing bucket. */
export async function perform(
  bucket: Bucket,
  target: Target,
  body: AsyncIterable<Buffer>,
): Promise<Answer> {
  switch (target.operation) {
    case 'PutObject':
      return putObject(bucket, target, body);
    case 'GetObject':
      return getObject(bucket, target, true);
    case 'HeadObject':
      return getObject(bucket, target, false);
    case 'DeleteObject':
      return removed(bucket.remove(target.key));
    case 'DeleteObjects':
      return deleteObjects(bucket, target, body);
    case 'PutBucketVersioning':
      return putBucketVersioning(bucket, target, body);
    case 'ListObjectVersions':
      return listObjectVersions(bucket, target);
    case 'ListObjectsV2':
      return listObjects(bucket, target);
    case 'CreateMultipartUpload':
      return createMultipartUpload(bucket, target);
    case 'UploadPart':
      return uploadPart(bucket, target, body);
    case 'CompleteMultipartUpload':
      return completeMultipartUpload(bucket, target, body);
    case 'AbortMultipartUpload':
      return abortMultipartUpload(bucket, target);
    case 'ListParts':
      return listParts(bucket, target);
    case 'ListMultipartUploads':
      return listMultipartUploads(bucket, target);
    case 'HeadBucket':
      return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
    case 'GetBucketLocation':
      // Empty means us-east-1.
      return { status: 200, body: xmlDocument('LocationConstraint', []) };
    case 'CreateBucket':
      throw new Error('a bucket is not created inside a bucket');
  }
}

function removed(markerId: string | undefined): Answer {
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': markerId };
  return markerId === undefined ? { status: 204 } : { status: 204, headers };
}
