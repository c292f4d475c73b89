import type { GoalId } from './goals.ts';

const PROCESSORS =
  'Server, mydumper, shipping and the S3 server share the processors of this machine, and together they use all there are';
const TRIED =
  'Tried, and kept: hashing each byte once by SHA-256 instead of twice, an uploader without copying, buffers that are used again, fewer looks at staging (see below)';
const COSTS =
  'every byte is hashed by SHA-256 for the manifest, which a processor without SHA instructions is slow at, and by CRC-32 for S3, and staging is watched all the time; the copiers do neither';

/** For a goal that is missed: what was tried, and what limits it. No figures here: those are measured. */
export const GOAL_NOTES: Readonly<Record<GoalId, string>> = {
  'dump-bound': `${TRIED}. What limits it: near the budget mydumper stops at each write until staging was looked at, and a start of Node, preflight and manifest come on top of the dump.`,
  'against-copy': `${PROCESSORS}: overlapping dump and upload saves the time in which either waits for disk or network, and here neither does. ${TRIED}. What limits it is processor time: ${COSTS}. Where database and network are slower than the processors it is the table of the balanced case that tells.`,
  'network-bound-none':
    'What is not overlapped: the start of Node, the preflight, and the last parts after mydumper has ended.',
  'network-bound-zstd':
    'Compressed the dump is so small that the network is not the limit: dump, hashing and compression take longer than the upload at that bandwidth, on the processors that all share.',
  'stop-upload-resume': `${TRIED}. What limits it: pauses are avoided only as far as hashing and sending keep up with the dump on the same processors.`,
  'cpu-rclone': `${TRIED}. What limits it: ${COSTS}. The start of Node, the preflight and the S3 client's own work for each request are in it too.`,
  'cpu-aws': `${TRIED}. What limits it: ${COSTS}.`,
  'cpu-rclone-tls': `${TRIED}. What limits it: ${COSTS}. The start of Node, the preflight and the S3 client's own work for each request are in it too.`,
  'cpu-aws-tls': `${TRIED}. What limits it: ${COSTS}.`,
  resident:
    'Parts under way of all files, twice PART_SIZE_MB for each of UPLOAD_CONCURRENCY finished and THREADS growing ones, are most of it; over TLS each part is held encrypted too while it is sent.',
  linear:
    'The sizes differ in more than size: files and budget grow with it, and the start is the same for all.',
};
