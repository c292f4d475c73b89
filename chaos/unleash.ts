/** Whether a fault met something; a function when only the end of the run shows it. */
export type Outcome = boolean | (() => boolean);

/**
 * Starts all strikes.
 * @returns the faults that met something, to be asked when the run is over.
 */
export function unleashAll<Fault>(
  faults: readonly Fault[],
  strike: (fault: Fault) => Promise<Outcome>,
): () => Promise<Fault[]> {
  const outcomes = faults.map(strike);
  for (const outcome of outcomes) outcome.catch(() => {}); // looked at below
  return async () => {
    const struck: Fault[] = [];
    for (const [index, fault] of faults.entries()) {
      const outcome = await Promise.resolve(outcomes[index]).catch((error: unknown) => {
        if (wasTooLate(error)) return false;
        throw error; // a defect of these runs themselves
      });
      if (typeof outcome === 'function' ? outcome() : outcome) struck.push(fault);
    }
    return struck;
  };
}

/** The run ended before the fault's time, or another fault had taken the server away. */
function wasTooLate(error: unknown): boolean {
  const { name, message, code } = error as { name?: string; message?: string; code?: string };
  return (
    name === 'AbortError' ||
    /ended without printing/.test(message ?? '') ||
    /^(?:ECONN|EPIPE|PROTOCOL_|ER_)/.test(code ?? '') ||
    /connection/i.test(message ?? '')
  );
}
