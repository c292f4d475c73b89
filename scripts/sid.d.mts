export function ownMirror(targets: string): string | undefined;
export function changedPackages(simulation: string): string[];
export function debianMirror(
  run: (command: readonly string[]) => Promise<{ stdout: string }>,
): Promise<string | undefined>;
