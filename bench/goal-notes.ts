import type { GoalId } from './goal.ts';

const TRIED =
  'Tried, and kept: SHA-256 once and in a thread of its own, CRC-32 once, an uploader ' +
  'without copying, buffers and connections that are used again, looking at staging when the ' +
  'kernel tells of a write (see below)';
const COSTS =
  'each byte is hashed by SHA-256 for the manifest, which is the largest part where the ' +
  'processor has no instructions for it and takes the longer the busier its neighbour is; ' +
  'staging is watched; and the AWS SDK has its price for each file, of which a small budget ' +
  'makes many';

/**
 * Notes for missed goals: the attempts so far, and the known limits. They hold no figures, since
 * the bench measures those.
 */
export const GOAL_NOTES: Readonly<Record<GoalId, string>> = {
  'dump-bound':
    `${TRIED}. What limits it at small sizes, where a twentieth is no more than a few ` +
    'statements of each thread: mydumper stops at each write until it was looked at (the ' +
    'gate), and is paused now and then, while neither it nor the server does anything; the ' +
    `start of Node and the preflight, which are a constant; and processor time: ${COSTS}.`,
  'against-copy':
    `${TRIED}. Dump, server, S3 server and copying share the processors, which are busy in ` +
    'either case (see “busy”): overlapping gains only what the copiers leave idle, and ' +
    'what we do beyond copying (SHA-256, watching) is added. Floor A alone is near the limit ' +
    'or above it (last column), before anything is shipped. Where processors are not the ' +
    'limit overlapping gains what it should: see mydumper, then rclone, in the balanced case.',
  'network-bound-none':
    'What is not overlapped: the start of Node, the preflight, and the last parts after ' +
    'mydumper has ended.',
  'network-bound-zstd':
    'Compressed the dump is so small that the network is not the limit here: it takes about ' +
    'as long at any bandwidth. What limits it is processor time, of hashing and compression ' +
    'beside the dump.',
  'stop-upload-resume':
    `${TRIED}. The simplest way loses less than it should: what the server sends goes on into ` +
    'socket buffers while mydumper stands still, the more of a budget the smaller that is.',
  'cpu-rclone':
    `${TRIED}. What limits it: ${COSTS}. rclone runs after the dump, with the processors for ` +
    'itself, hashes by MD5 and watches nothing.',
  'cpu-aws': `${TRIED}. What limits it: ${COSTS}.`,
  'cpu-rclone-tls':
    `${TRIED}. What limits it: ${COSTS}. rclone runs after the dump, with the processors for ` +
    'itself, hashes by MD5 and watches nothing.',
  'cpu-aws-tls':
    `${TRIED}. What limits it: ${COSTS}. The CLI runs after the dump, with the processors for ` +
    'itself.',
  resident:
    'Parts: one for each of UPLOAD_CONCURRENCY finished and THREADS growing files, and two ' +
    'more; besides, three threads of Node, and pieces that are read and hashed. Tried, and ' +
    'kept: that bound on all parts together, a small young generation, over TLS a part is ' +
    'encrypted piece by piece. Not tried: sending parts of uncompressed files from the file ' +
    'instead of from memory.',
  linear:
    'The budget grows with size too, and with it how much of the dump runs free; sizes of a ' +
    'few seconds and few rounds also leave much to what else the machine did.',
  restore:
    'Server, S3 server and restore share the processors, which the server alone keeps busy: what ' +
    'we do beyond loading (decompressing, SHA-256, CRC-32, reading each byte) is added.',
  'restore-cpu':
    'The start of Node and of the AWS SDK in each thread is a constant. Beyond it: ' +
    'decompressing, SHA-256, two CRC-32, reading each byte, and garbage of the buffers that sockets give.',
  'restore-resident':
    'For each connection a statement of 4 MiB that is sent and one that is read, the chunks they ' +
    'are views of, and the heap of each thread.',
};
