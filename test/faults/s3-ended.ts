import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { ALWAYS, type FaultCase } from './case.ts';
import { ADDING, IN_PARTS, lasting, refused, SOON, VARIES } from './s3-strikes.ts';

/** Faults that last, or are there from the start. */
export const s3Ended: readonly FaultCase[] = [
  lasting(
    's3-expired',
    '403 ExpiredToken in the middle, as when credentials expire',
    {
      kind: 'error',
      status: 403,
      code: 'ExpiredToken',
      message: 'The provided token has expired.',
    },
    /could not write s3:\/\/backups\/.*credentials have expired.*ExpiredToken/,
  ),
  lasting(
    's3-503-lasting',
    '503 SlowDown for longer than UPLOAD_RETRY_SECONDS',
    { kind: 'error', status: 503, code: 'SlowDown' },
    /could not write s3:\/\/backups\/.*SlowDown.*tried \d+ times/,
    VARIES,
  ),
  lasting(
    's3-reset-lasting',
    'connections reset for longer than UPLOAD_RETRY_SECONDS',
    { kind: 'reset' },
    /could not write s3:\/\/backups\/.*(?:ECONNRESET|EPIPE|socket hang up)/,
  ),
  lasting(
    's3-wrong-checksum',
    'a wrong checksum answered to a file',
    { kind: 'wrong-checksum' },
    /could not write .*answered with CRC32/,
  ),
  lasting(
    's3-no-checksum',
    'no checksum answered to a file',
    { kind: 'no-checksum' },
    /could not write .*without a CRC32 checksum/,
    VARIES,
  ),
  lasting(
    's3-part-wrong-checksum',
    'a wrong checksum answered to a part',
    { kind: 'wrong-checksum' },
    /could not write .*answered with CRC32/,
    {
      ...VARIES,
      run: async ({ strike, start }) => {
        strike({
          operation: 'UploadPart',
          skip: 1,
          times: ALWAYS,
          action: { kind: 'wrong-checksum' },
        });
        return start(IN_PARTS);
      },
    },
  ),
  lasting(
    's3-complete-wrong-checksum',
    'a wrong checksum answered to CompleteMultipartUpload',
    { kind: 'wrong-checksum' },
    /could not write .*checksum/,
    {
      run: async ({ strike, start }) => {
        strike({
          operation: 'CompleteMultipartUpload',
          times: ALWAYS,
          action: { kind: 'wrong-checksum' },
        });
        return start(IN_PARTS);
      },
    },
  ),
  lasting(
    's3-complete-denied',
    'CompleteMultipartUpload answered with 200 and AccessDenied',
    { kind: 'error-in-ok', code: 'AccessDenied', message: 'Access Denied' },
    /could not write s3:\/\/backups\/.*access denied/,
    {
      run: async ({ strike, start }) => {
        const action = {
          kind: 'error-in-ok',
          code: 'AccessDenied',
          message: 'Access Denied',
        } as const;
        strike({ operation: 'CompleteMultipartUpload', times: ALWAYS, action });
        return start(IN_PARTS);
      },
    },
  ),
  lasting(
    's3-gone',
    'the endpoint no longer listens',
    { kind: 'reset' },
    /nothing answers at the endpoint/,
    {
      run: async ({ start, world }) => {
        const proxy = await startCuttableProxy(world.s3.port);
        world.s3.setBandwidth(4e6);
        const program = start({ ...SOON, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}` });
        await program.printed('"event":"shipped"');
        await proxy.close();
        return program;
      },
    },
  ),
  refused(
    's3-denied',
    '403 AccessDenied from the start',
    /bucket backups cannot be written to: access denied.*s3:PutObject/,
    async ({ start, world }) => {
      world.s3.setDeny(ADDING);
      return start();
    },
  ),
  refused(
    's3-no-bucket',
    'no such bucket',
    /no bucket no-such-bucket; check BUCKET and REGION/,
    async ({ start }) => start({ BUCKET: 'no-such-bucket' }),
  ),
  refused(
    's3-nothing-listening',
    'nothing listening at the endpoint',
    /bucket backups cannot be written to: nothing answers at the endpoint/,
    async ({ start }) => start({ ...SOON, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }),
  ),
  refused(
    's3-dns',
    'an endpoint whose name has no address',
    /bucket backups cannot be written to: the endpoint has no address/,
    async ({ start }) =>
      start({ ...SOON, AWS_ENDPOINT_URL_S3: 'http://no-such-host.invalid:9000' }),
  ),
  refused(
    's3-clock-wrong',
    '403 RequestTimeTooSkewed to every request',
    /bucket backups cannot be written to: this machine's clock differs.*RequestTimeTooSkewed/,
    async ({ start, strike }) => {
      strike({ times: ALWAYS, action: { kind: 'clock-skew' } });
      return start(SOON);
    },
  ),
];
