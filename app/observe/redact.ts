import { messageOf } from '../errors.ts';

/** Names under which any value counts as a secret. */
const SECRET_NAME =
  /passw|passphrase|pwd|secret|token|credential|authorization|(private|access).?key/i;
/** Up to the password in `scheme://user:password@host`, after the slashes. */
const URL_USER = /[^/:@]*:/y;
/** `password=…`, as in an option file or a DSN. */
const ASSIGNED_PASSWORD = /(passw(?:or)?d=)[^\s&;]+/gi;
const REDACTED = '[redacted]';

/**
 * The last defence of "secrets are in no log". The program passes no secrets to events, but an
 * error object of a library may hold its connection options.
 *
 * A replacer for JSON.stringify. It replaces values under a name that sounds secret, and passwords
 * in texts. Of an Error it keeps only the message, without stack, cause and further properties.
 */
export function redact(name: string, value: unknown): unknown {
  if (SECRET_NAME.test(name)) return REDACTED;
  if (value instanceof Error) return redactText(messageOf(value));
  return typeof value === 'string' ? redactText(value) : value;
}

export function redactText(text: string): string {
  return text.replace(/\S+/g, redactUrl).replace(ASSIGNED_PASSWORD, `$1${REDACTED}`);
}

/**
 * A password may hold an `@` itself, so the match ends at the last one. The time is linear in the
 * length of any text.
 */
function redactUrl(word: string): string {
  const end = word.lastIndexOf('@');
  for (let at = word.indexOf('//'); at !== -1 && at < end; at = word.indexOf('//', at + 1)) {
    URL_USER.lastIndex = at + 2;
    const start = URL_USER.test(word) ? URL_USER.lastIndex : end;
    if (start < end) return `${word.slice(0, start)}${REDACTED}${word.slice(end)}`;
  }
  return word;
}

/**
 * A text as one line that is safe on a terminal: no secrets, no line breaks, no control characters.
 */
export function oneLine(text: string): string {
  return redactText(text)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}
