// Runs npm audit and judges it. It fails on findings that are not explained below. It also fails
// where npm could not ask, unless the registry has no such service, as some mirrors.
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/** Advisories, by their URL, that do not concern this program, and why. */
export const EXPLAINED = {};

/** npm tries again for a while where the registry does not answer. */
const LONGEST_MILLISECONDS = 300_000;

/** What npm says where the registry answers 404, 405 or 501 to the question. */
const NO_SUCH_SERVICE = /\baudit (?:404|405|501) [\s\S]*audit endpoint returned an error/;

/**
 * `stdout` and `stderr` of `npm audit --json`. Pure.
 * @returns lines that are findings, or why there is no answer; `good` when the check may pass.
 */
export function judgeAudit(stdout, stderr, explained = EXPLAINED) {
  const report = parse(stdout);
  if (report?.vulnerabilities === undefined) {
    if (NO_SUCH_SERVICE.test(stderr))
      return { good: true, lines: ['this registry has no audit service'] };
    return { good: false, lines: [`npm audit gave no report: ${stderr.trim()}`] };
  }
  const advisories = Object.values(report.vulnerabilities).flatMap(({ via }) =>
    via.filter((cause) => typeof cause === 'object'),
  );
  const open = advisories.filter(({ url }) => !Object.hasOwn(explained, url));
  if (open.length > 0)
    return {
      good: false,
      lines: open.map(
        ({ name, severity, title, url }) => `${name}: ${severity}: ${title} (${url})`,
      ),
    };
  return { good: true, lines: [`no findings; ${advisories.length} explained`] };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { stdout, stderr } = spawnSync('npm', ['audit', '--json'], {
    encoding: 'utf8',
    timeout: LONGEST_MILLISECONDS,
  });
  const { good, lines } = judgeAudit(stdout, stderr);
  for (const line of lines) console.error(`audit: ${line}`);
  process.exitCode = good ? 0 : 1;
}
