import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTurns } from '../../app/restore/turns.ts';

test('exclusive work runs alone, and all work runs despite failures', async () => {
  const works = fc.array(fc.record({ alone: fc.boolean(), fails: fc.boolean() }), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(works, fc.scheduler(), async (drawn, scheduler) => {
      const turns = createTurns();
      let underWay = 0;
      let aloneUnderWay = false;
      const done = drawn.map(({ alone, fails }, at) =>
        scheduler.schedule(Promise.resolve()).then(() =>
          turns[alone ? 'alone' : 'together'](async () => {
            expect(aloneUnderWay).toBe(false);
            if (alone) expect(underWay).toBe(0);
            aloneUnderWay = alone;
            underWay += 1;
            await scheduler.schedule(Promise.resolve());
            underWay -= 1;
            aloneUnderWay = false;
            if (fails) throw new Error(`work ${at}`);
            return at;
          }),
        ),
      );
      await scheduler.waitFor(Promise.allSettled(done));
      const outcomes = await Promise.allSettled(done);
      expect(
        outcomes.map((outcome) =>
          outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error).message,
        ),
      ).toEqual(drawn.map(({ fails }, at) => (fails ? `work ${at}` : at)));
    }),
  );
});

test('together is together', async () => {
  const turns = createTurns();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = turns.together(() => promise);
  await turns.together(async () => resolve());
  await first;
});
