export type ProfileResults = { readonly date: string };
export function renderProfile(_: ProfileResults): string {
  return '';
}
