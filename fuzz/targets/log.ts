import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { readLines } from '../../app/mydumper/lines.ts';
import { createLogReader, parseLine } from '../../app/mydumper/log-reader.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

const LONGEST = 64 * 1024;
const line = fc.oneof(
  hostileText(),
  fc
    .tuple(
      fc.constantFrom(
        '** Message: 08:29:00.123: ',
        '** (mydumper:7): CRITICAL **: ',
        '2026-11-24 08:29:00 [ERROR] - ',
        '** Message: Thread 1 dumping data for `a`.`',
        'Thread 1 shutting down',
        'Broken table detected, please review: ',
        'Empty table ',
      ),
      hostileText(),
    )
    .map((parts) => parts.join('')),
  fc.integer({ min: LONGEST - 2, max: LONGEST + 2 }).map((length) => 'x'.repeat(length)),
);
const bytes = fc
  .array(
    fc.tuple(
      line,
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom('\n', '\r\n', '\r', '\u2028', ''),
    ),
    {
      maxLength: 6,
    },
  )
  .map((lines) =>
    Buffer.concat(
      lines.flatMap(([text, raw, end]) => [Buffer.from(text), Buffer.from(raw), Buffer.from(end)]),
    ),
  );

/**
 * For any split of the bytes the log has the same lines. No line is endless, and none ends the
 * reader.
 */
export const log: Target = {
  name: 'log',
  quickCases: 150,
  open: () => ({
    property: fc.asyncProperty(
      bytes,
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 }),
      async (content, sizes) => {
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < content.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          chunks.push(content.subarray(at, at + size));
          at += size;
        }
        const lines: string[] = [];
        for await (const each of readLines(Readable.from(chunks))) lines.push(each);
        const expected = content
          .toString('utf8')
          .split(/\r\n|[\r\n\u2028\u2029]/)
          .map((each) => each.slice(0, LONGEST));
        assert.deepEqual(
          lines.filter((each) => each !== ''),
          expected.filter((each) => each !== ''),
        );
        const read = createLogReader();
        for (const each of lines) {
          parseLine(each);
          for (const event of read(each)) assert.equal(typeof event.kind, 'string');
        }
      },
    ),
  }),
};
