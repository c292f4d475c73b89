import { type Headers, S3Error } from './types.ts';

/** What is stored beside an object's bytes, as its writer gave it. */
export type Attributes = {
  /** `x-amz-meta-*` without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly expires?: string;
  readonly storageClass: string;
  /** `AES256` unless the writer asked for KMS. */
  readonly encryption: string;
  readonly kmsKeyId?: string;
  /** Tags by key. */
  readonly tags: Readonly<Record<string, string>>;
};

const storageClasses = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
];

/**
 * Reads them from a PutObject's or CreateMultipartUpload's headers. Throws S3's error for values it
 * refuses.
 */
export function attributesFrom(headers: Headers): Attributes {
  const metadata = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('x-amz-meta-'))
      .map(([name, value]) => [name.slice('x-amz-meta-'.length), value ?? '']),
  );
  const metadataBytes = Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    0,
  );
  if (metadataBytes > 2048)
    throw new S3Error(
      400,
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
    );
  const storageClass = headers['x-amz-storage-class'] ?? 'STANDARD';
  if (!storageClasses.includes(storageClass))
    throw new S3Error(400, 'InvalidStorageClass', 'The storage class you specified is not valid');
  const encoding = (headers['content-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'aws-chunked')
    .join(',');
  return {
    metadata,
    contentType: headers['content-type'] ?? 'binary/octet-stream',
    ...(encoding === '' ? {} : { contentEncoding: encoding }),
    ...optional('contentDisposition', headers['content-disposition']),
    ...optional('contentLanguage', headers['content-language']),
    ...optional('cacheControl', headers['cache-control']),
    ...optional('expires', headers.expires),
    storageClass,
    ...encryptionFrom(headers),
    tags: tagsFrom(headers['x-amz-tagging'] ?? ''),
  };
}

/** The encryption headers S3 repeats in the answers to every write of an object. */
export function encryptionHeaders(attributes: Attributes): Record<string, string | undefined> {
  return {
    'x-amz-server-side-encryption': attributes.encryption,
    'x-amz-server-side-encryption-aws-kms-key-id': attributes.kmsKeyId,
  };
}

/** The headers GetObject and HeadObject show. */
export function attributeHeaders(attributes: Attributes): Record<string, string | undefined> {
  const tagCount = Object.keys(attributes.tags).length;
  return {
    'content-type': attributes.contentType,
    'content-encoding': attributes.contentEncoding,
    'content-disposition': attributes.contentDisposition,
    'content-language': attributes.contentLanguage,
    'cache-control': attributes.cacheControl,
    expires: attributes.expires,
    'x-amz-storage-class':
      attributes.storageClass === 'STANDARD' ? undefined : attributes.storageClass,
    'x-amz-tagging-count': tagCount === 0 ? undefined : String(tagCount),
    ...encryptionHeaders(attributes),
    ...Object.fromEntries(
      Object.entries(attributes.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
    ),
  };
}

function encryptionFrom(headers: Headers): Pick<Attributes, 'encryption' | 'kmsKeyId'> {
  const encryption = headers['x-amz-server-side-encryption'];
  const kmsKeyId = headers['x-amz-server-side-encryption-aws-kms-key-id'];
  if (encryption !== undefined && !['AES256', 'aws:kms', 'aws:kms:dsse'].includes(encryption))
    throw new S3Error(
      400,
      'InvalidEncryptionAlgorithmError',
      'The encryption method specified is not supported',
    );
  if (kmsKeyId !== undefined && !encryption?.startsWith('aws:kms'))
    throw new S3Error(
      400,
      'InvalidArgument',
      'Server Side Encryption with AWS KMS managed key requires HTTP header ' +
        'x-amz-server-side-encryption : aws:kms',
    );
  if (
    Object.keys(headers).some((name) => name.startsWith('x-amz-server-side-encryption-customer-'))
  )
    throw new S3Error(
      501,
      'NotImplemented',
      'Encryption with a customer-provided key is not implemented.',
    );
  return { encryption: encryption ?? 'AES256', ...optional('kmsKeyId', kmsKeyId) };
}

function tagsFrom(tagging: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(tagging)) {
    if (key === '' || key.length > 128 || value.length > 256 || key in tags)
      throw new S3Error(400, 'InvalidTag', 'The TagKey or TagValue you have provided is invalid');
    tags[key] = value;
  }
  if (Object.keys(tags).length > 10)
    throw new S3Error(400, 'BadRequest', 'Object tags cannot be greater than 10');
  return tags;
}

function optional<Name extends string>(
  name: Name,
  value: string | undefined,
): { [key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: string });
}
