export function judgeAudit(
  stdout: string,
  stderr: string,
  explained?: Readonly<Record<string, string>>,
): { good: boolean; lines: string[] };
