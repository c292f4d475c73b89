/** An error as the SDK throws it. */
export function sdkError(fields: {
  name?: string;
  code?: string;
  Code?: string;
  status?: number;
  cause?: unknown;
}): Error {
  const { status, cause, ...rest } = fields;
  const error = new Error('said so', { cause });
  return Object.assign(
    error,
    rest,
    status === undefined ? {} : { $metadata: { httpStatusCode: status } },
  );
}
