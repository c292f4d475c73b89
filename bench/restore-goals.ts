import { type Goal, medianOf, ratio, shown } from './goal.ts';
import type { Results } from './sample.ts';

const MIB = 1024 ** 2;

/** Goals of `restore`, with the server on the same processors. */
export function restoreGoals({ samples, referenceGb }: Results): readonly Goal[] {
  const of = (alternative: 'restore-ours' | 'restore-download-myloader') =>
    samples.filter((sample) => sample.alternative === alternative && sample.sizeGb === referenceGb);
  const ours = of('restore-ours');
  const wall = medianOf(ours, ({ wallSeconds }) => wallSeconds);
  const byHand = medianOf(of('restore-download-myloader'), ({ wallSeconds }) => wallSeconds);
  const most = Math.max(...ours.map(({ moverResidentBytes }) => moverResidentBytes));
  return [
    {
      id: 'restore',
      what: 'Restore: wall ÷ rclone, zstd and plain myloader one after the other',
      limit: 1.15,
      sense: '≤',
      measured: ratio(wall, byHand),
      unit: '',
      detail: `${shown(wall)} s against ${shown(byHand)} s`,
    },
    {
      id: 'restore-cpu',
      what: 'Restore: processor seconds of our process per GB of SQL',
      limit: 5.5,
      sense: '≤',
      measured: medianOf(ours, ({ cpuSeconds, dumpedBytes }) => cpuSeconds / (dumpedBytes / 1e9)),
      unit: '',
      detail: `${ours.length} runs`,
    },
    {
      id: 'restore-resident',
      what: 'Restore: peak resident memory of our process',
      limit: 300,
      sense: '≤',
      measured: ours.length === 0 ? undefined : most / MIB,
      unit: ' MiB',
      detail: `the most of ${ours.length} runs`,
    },
  ];
}
