import type { Ended, RunningProgram } from '../test/support/program.ts';

/** After SIGTERM or SIGINT (invariant 8). */
const SHUTDOWN_MILLISECONDS = 20_000;

/** Waits for its end; what does not end in its time is killed. */
export async function endOf(
  program: RunningProgram,
  boundMilliseconds: number,
): Promise<{ ended: Ended; overdue: boolean }> {
  let overdue = false;
  const expire = () => {
    overdue = true;
    program.child.kill('SIGKILL');
  };
  const bound = setTimeout(expire, boundMilliseconds);
  let shutdown: NodeJS.Timeout | undefined;
  const kill = program.child.kill.bind(program.child);
  program.child.kill = (signal) => {
    if (signal === 'SIGTERM' || signal === 'SIGINT')
      shutdown ??= setTimeout(expire, SHUTDOWN_MILLISECONDS);
    return kill(signal);
  };
  const ended = await program.ended;
  clearTimeout(bound);
  clearTimeout(shutdown);
  return { ended, overdue };
}
