/**
 * NODE_OPTIONS=--import loads this before a program. The program's clock begins at `TEST_CLOCK`
 * (milliseconds since 1970) and runs at a twentieth of the speed. Two programs are then in the same
 * second regardless of their start-up times.
 */
const SLOWER = 20;

const begunAt = Number(process.env.TEST_CLOCK);
const begun = performance.now();
const now = () => Math.floor(begunAt + (performance.now() - begun) / SLOWER);
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  get: (target, name, receiver) =>
    name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
});

export {};
