/**
 * Runs `work` for the items in order, at most `limit` at a time. After the first failure it starts
 * no more items. It throws that failure when the running items have ended.
 */
export async function forEach<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (;;) {
      if (failure !== undefined) return;
      const next = await iterator.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  const guarded = () =>
    worker().catch((error: unknown) => {
      failure ??= { error };
    });
  await Promise.all(Array.from({ length: limit }, guarded));
  if (failure !== undefined) throw failure.error;
}
