const NAME = '(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[0-9A-Za-z$_\\u0080-\\uffff]+)';
const ACCOUNT = '(?:`(?:[^`]|``)*`|\'(?:[^\']|\'\')*\'|"(?:[^"]|"")*"|[^\\s@`\'"]+)';
const QUALIFIED = `(?:(${NAME})\\s*\\.\\s*)?(${NAME})`;
const HEAD = new RegExp(
  '^(CREATE\\s+(?:OR\\s+REPLACE\\s+)?' +
    `(?:DEFINER\\s*=\\s*${ACCOUNT}(?:\\s*@\\s*${ACCOUNT})?\\s+)?` +
    'TRIGGER\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?)' +
    `${QUALIFIED}(\\s+(?:BEFORE|AFTER)\\s+(?:INSERT|UPDATE|DELETE)\\s+ON\\s+)${QUALIFIED}`,
  'i',
);
/** What may stand before a statement in a file of the dump. */
const LEAD = /^(?:\s+|--[^\n]*\n|\/\*(?!!)[\s\S]*?\*\/)*/;

/** A trigger whose target database is unclear. */
export class UnclearTrigger extends Error {
  constructor(statement: string) {
    const shown = statement.slice(0, 120).replace(/\s+/g, ' ');
    super(`cannot tell which database this trigger names: ${JSON.stringify(shown)}`);
    this.name = 'UnclearTrigger';
  }
}

/**
 * The statements of a dump's trigger file, without the database name before the trigger and its
 * table. They therefore load into the current database. Servers keep a trigger's text as it was
 * written. One created as `CREATE TRIGGER shop.t ... ON shop.orders` would go into `shop` itself
 * when loaded into a copy. `text` and `database` have the same encoding. Pure.
 * @throws UnclearTrigger
 */
export function withoutDatabase(text: string, database: string): string {
  return text
    .split(/(?<=;\n)/)
    .map((part) => {
      const lead = LEAD.exec(part)?.[0] ?? '';
      const statement = part.slice(lead.length);
      return /^CREATE\b/i.test(statement) ? lead + unqualified(statement, database) : part;
    })
    .join('');
}

function unqualified(statement: string, database: string): string {
  const head = HEAD.exec(statement);
  if (head === null) throw new UnclearTrigger(statement);
  const [whole, create = '', ofTrigger, trigger = '', on = '', ofTable, table = ''] = head;
  for (const qualifier of [ofTrigger, ofTable])
    if (qualifier !== undefined && !isSameName(qualifier, database))
      throw new UnclearTrigger(statement);
  return `${create}${trigger}${on}${table}${statement.slice(whole.length)}`;
}

/**
 * Compares without case, since a server may ignore the case of database names. The text then keeps
 * the case in which it was written.
 */
function isSameName(written: string, name: string): boolean {
  const quote = written[0] ?? '';
  const plain = /[`"]/.test(quote)
    ? written.slice(1, -1).replaceAll(quote + quote, quote)
    : written;
  return plain.toLowerCase() === name.toLowerCase();
}
