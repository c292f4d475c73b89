export function ownMirror(targets: string): string[];
export function changedPackages(simulation: string): string[];
