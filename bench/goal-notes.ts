import type { GoalId } from './goals.ts';

const TRIED =
  'Tried, and kept: hashing each byte once by SHA-256 instead of twice, an uploader without copying, buffers that are used again, fewer looks at staging (see below)';
const COSTS =
  'each byte is hashed by SHA-256 for the manifest and twice by CRC-32, staging is watched all the time, and the start of Node and the preflight count in full at small sizes';

/** For a goal that is missed: what was tried, and what limits it as far as is known. No figures here: those are measured. */
export const GOAL_NOTES: Readonly<Record<GoalId, string>> = {
  'dump-bound': `${TRIED}. What limits it is the gate for one thing: a budget this small is always near its end, and there mydumper stops at each write until the watching thread has looked, which takes the longer the more others want the processors; a larger budget is faster at once. For another it is processor time: ${COSTS}. Not tried yet: larger statements, which are fewer writes, and letting it go on without a full look.`,
  'against-copy': `As for the goal before: the gate. ${TRIED}. Where database and network are the limit, overlapping them does gain; the table of the balanced case tells how much.`,
  'network-bound-none':
    'What is not overlapped: the start of Node, the preflight, and the last parts after mydumper has ended.',
  'network-bound-zstd':
    'Compressed the dump is so small that the network is not the limit here: it takes about as long at any bandwidth. What limits it is the gate, and the processor time of hashing and compression.',
  'stop-upload-resume': `${TRIED}. What limits it is the gate again. And the simplest way gains more than it should: what the server sends goes on into socket buffers while mydumper stands still, which at budgets as small as these is a good part of what it reads between two stops. It did not keep within the budget (peak disk, below).`,
  'cpu-rclone': `${TRIED}. What limits it: ${COSTS}. rclone hashes too (MD5, without TLS also SHA-256), but watches nothing.`,
  'cpu-aws': `${TRIED}. What limits it: ${COSTS}.`,
  'cpu-rclone-tls': `${TRIED}. What limits it: ${COSTS}. rclone hashes by MD5 only here.`,
  'cpu-aws-tls': `${TRIED}. What limits it: ${COSTS}.`,
  resident:
    'Parts under way of all files, twice PART_SIZE_MB for each of UPLOAD_CONCURRENCY finished and THREADS growing ones, are most of it; over TLS each part is held encrypted too while it is sent.',
  linear:
    'The budget grows with size too, and with it how often mydumper stops at the gate; sizes of a few seconds and few rounds also leave much to what else the machine did.',
};
