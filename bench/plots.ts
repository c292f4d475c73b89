import * as echarts from 'echarts';
import { ALTERNATIVES } from './alternative-names.ts';
import { sizePoints } from './goals-by-size.ts';
import type { Results, Sample } from './sample.ts';
import { fitLine, median } from './statistics.ts';

const MIB = 1024 ** 2;
const WIDTH = 900;
const FONT = 'Helvetica, Arial, DejaVu Sans, sans-serif';

export type Drawn = { readonly name: string; readonly title: string; readonly svg: string };

/** Pictures of what was measured; those whose samples are missing are left out. */
export function drawPlots(results: Results): readonly Drawn[] {
  return [...stagingPlots(results), ...wallPlot(results), ...sizePlot(results)];
}

function draw(name: string, title: string, height: number, option: echarts.EChartsOption): Drawn {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: FONT },
    title: { text: title, left: 'center', textStyle: { fontSize: 15, fontFamily: FONT } },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return { name, title, svg };
}

const STAGED = [
  { alternative: 'ours-none', name: 'staged-ours.svg', title: 'Ours, COMPRESS=none' },
  {
    alternative: 'stop-upload-resume',
    name: 'staged-stop-upload-resume.svg',
    title: 'Stop, upload, resume',
  },
] as const;

/**
 * Staged bytes over time in the first round: with S3 as fast as the dump, or else at the slowest
 * bandwidth.
 */
function stagingPlots({ samples }: Results): Drawn[] {
  const drawn = STAGED.flatMap(({ alternative, name, title }) => {
    const all = samples.filter(
      (sample) => sample.alternative === alternative && (sample.timeline?.length ?? 0) > 1,
    );
    const sample = all.find(({ bandwidth }) => bandwidth === 'balanced') ?? all[0];
    return sample === undefined ? [] : [{ name, title, sample }];
  });
  const endSeconds = Math.max(0, ...drawn.map(({ sample }) => sample.wallSeconds));
  const mostBytes = Math.max(
    0,
    ...drawn.flatMap(({ sample }) => [1.15 * (sample.budgetBytes ?? 0), sample.peakDiskBytes]),
  );
  return drawn.map(({ name, title, sample }) =>
    stagingPlot(name, title, sample, endSeconds, mostBytes),
  );
}

/** All with the same axes. */
function stagingPlot(
  name: string,
  title: string,
  sample: Sample,
  endSeconds: number,
  mostBytes: number,
): Drawn {
  const budget = (sample.budgetBytes ?? 0) / MIB;
  const speed = ((sample.bytesPerSecond ?? 0) / 1e6).toFixed(0);
  const shown = `${sample.sizeGb} GB to S3 at ${speed} MB/s (pauses shaded)`;
  const whole = `${title}: staged bytes, ${shown}`;
  return draw(name, whole, 300, {
    grid: { left: 60, right: 120, top: 50, bottom: 45 },
    xAxis: {
      type: 'value',
      name: 's',
      nameLocation: 'middle',
      nameGap: 25,
      max: Math.ceil(endSeconds),
    },
    yAxis: { type: 'value', name: 'MiB', min: 0, max: Math.ceil(mostBytes / MIB) },
    series: [
      {
        type: 'line',
        showSymbol: false,
        lineStyle: { width: 1.5, color: '#2563a8' },
        data: (sample.timeline ?? []).map(({ seconds, diskBytes }) => [seconds, diskBytes / MIB]),
        markLine: {
          symbol: 'none',
          silent: true,
          lineStyle: { color: '#c0392b', type: 'dashed', width: 1.5 },
          label: { formatter: `budget ${budget} MiB`, color: '#c0392b', fontFamily: FONT },
          data: [{ yAxis: budget }],
        },
        markArea: {
          silent: true,
          itemStyle: { color: 'rgba(230, 126, 34, 0.25)' },
          data: (sample.pauses ?? []).map(({ fromSeconds, toSeconds }) => [
            { xAxis: fromSeconds },
            { xAxis: toSeconds },
          ]),
        },
      },
    ],
  });
}

const COLOURS = ['#2563a8', '#7fb069', '#e6aa68', '#b07aa1', '#888888'];

function wallPlot({ samples, referenceGb }: Results): Drawn[] {
  const fitting = samples.filter(
    ({ sizeGb, tls, alternative }) =>
      sizeGb === referenceGb && !tls && !alternative.startsWith('restore-'),
  );
  const bandwidths = [...new Set(fitting.map(({ bandwidth }) => bandwidth))];
  const names = ALTERNATIVES.filter(({ name }) =>
    fitting.some(({ alternative }) => alternative === name),
  ).reverse();
  if (names.length === 0) return [];
  const title = `Wall time of a backup of ${referenceGb} GB by alternative and bandwidth of S3`;
  return [
    draw('wall.svg', title, 120 + names.length * (24 + 16 * bandwidths.length), {
      grid: { left: 270, right: 60, top: 70, bottom: 45 },
      legend: { top: 32, itemGap: 24 },
      xAxis: { type: 'value', name: 's', nameLocation: 'middle', nameGap: 25 },
      yAxis: {
        type: 'category',
        data: names.map((each) => each.title),
        axisLabel: { width: 255, overflow: 'break' },
      },
      series: bandwidths.toReversed().map((bandwidth, index) => ({
        type: 'bar' as const,
        name: typeof bandwidth === 'number' ? `${bandwidth} MB/s` : bandwidth,
        itemStyle: {
          color: COLOURS[(bandwidths.length - 1 - index) % COLOURS.length] ?? '#888888',
        },
        label: { show: true, position: 'right' as const, fontSize: 10 },
        data: names.map(({ name }) => {
          const walls = fitting.filter(
            (sample) => sample.alternative === name && sample.bandwidth === bandwidth,
          );
          return walls.length === 0
            ? '-'
            : Number(median(walls.map(({ wallSeconds }) => wallSeconds)).toFixed(1));
        }),
      })),
    }),
  ];
}

const BY_SIZE = [
  { alternative: 'mydumper-alone', title: 'mydumper alone', color: '#888888' },
  { alternative: 'ours-none', title: 'ours, none', color: '#2563a8' },
  { alternative: 'ours-zstd', title: 'ours, zstd', color: '#7fb069' },
] as const;

function sizePlot({ samples }: Results): Drawn[] {
  const curves = BY_SIZE.map((each) => ({
    ...each,
    wall: sizePoints(samples, each.alternative, ({ wallSeconds }) => wallSeconds),
    resident: sizePoints(
      samples,
      each.alternative,
      ({ moverResidentBytes }) => moverResidentBytes / MIB,
    ),
  })).filter(({ wall }) => wall.length > 1);
  if (curves.length === 0) return [];
  const axis = {
    type: 'value' as const,
    name: 'GB dumped',
    nameLocation: 'middle' as const,
    nameGap: 25,
  };
  return [
    draw('size.svg', 'Wall time and peak resident memory against size, S3 unlimited', 380, {
      legend: { top: 32, itemGap: 30, data: curves.map(({ title }) => title) },
      grid: [
        { left: 60, width: 350, top: 90, bottom: 50 },
        { left: 500, width: 350, top: 90, bottom: 50 },
      ],
      xAxis: [
        { ...axis, gridIndex: 0 },
        { ...axis, gridIndex: 1 },
      ],
      yAxis: [
        { type: 'value', name: 'wall s', gridIndex: 0, min: 0 },
        { type: 'value', name: 'resident MiB', gridIndex: 1, min: 0 },
      ],
      series: curves.flatMap(({ title, color, wall, resident }) => {
        const fit = fitLine(wall);
        const ends = [wall[0]?.x ?? 0, wall.at(-1)?.x ?? 0];
        return [
          {
            type: 'line' as const,
            name: `${title}, fit`,
            showSymbol: false,
            lineStyle: { color, type: 'dashed' as const, width: 1 },
            itemStyle: { color },
            data: fit === undefined ? [] : ends.map((x) => [x, fit.intercept + fit.slope * x]),
          },
          {
            type: 'scatter' as const,
            name: title,
            itemStyle: { color },
            data: wall.map(({ x, y }) => [x, y]),
          },
          {
            type: 'line' as const,
            name: title,
            xAxisIndex: 1,
            yAxisIndex: 1,
            lineStyle: { color },
            itemStyle: { color },
            data: resident.map(({ x, y }) => [x, y]),
          },
        ];
      }),
    }),
  ];
}
