/**
 * How both generations word an error. 1.x logs a statement that the server refuses as a warning. It
 * then continues and exits with 1 at its end, so the line stands long before the last one.
 */
const ERROR_WORDING = /\bERROR \d{3,5}\b|^(?:Couldn't|Could not|Failed to|Error)\b/;
/** 1.x asks for the position in the binary log twice. 0.10 prints nothing when it gets none. */
const POSITION_REFUSED = /^Couldn't get master position - ERROR /;

/** Whether a warning of mydumper reports an error. */
export function looksLikeError(text: string): boolean {
  return ERROR_WORDING.test(text);
}

/**
 * Whether a line reports one of these server errors for anything but the query for the position.
 * 1.x ignores an error number everywhere, so a part of the dump may then be missing.
 */
export function ignoredElsewhere(text: string, ignoredErrors: readonly number[]): boolean {
  const number = /\bERROR (\d{3,5})\b/.exec(text)?.[1];
  return (
    number !== undefined && ignoredErrors.includes(Number(number)) && !POSITION_REFUSED.test(text)
  );
}
