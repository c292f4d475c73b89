export function ownMirror(targets: string): string[];
export function changedPackages(simulation: string): string[];
export function sidMirrors(
  run: (command: readonly string[]) => Promise<{ stdout: string }>,
): Promise<string[]>;
