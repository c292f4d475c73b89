import { S3Error } from './types.ts';

/** `<name>value</name>` with the value escaped; nothing at all when the value is undefined. */
export function tag(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`;
}

/** An element around already rendered children. */
export function group(name: string, children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A whole S3 answer document. */
export function xmlDocument(name: string, children: readonly string[]): string {
  return (
    `${xmlDeclaration}<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    `${children.join('')}</${name}>`
  );
}

function escapeXml(text: string): string {
  // S3 sends control characters of keys as references.
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them.
    /[&<>"\u0000-\u001f]/g,
    (character) =>
      ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character] ??
      `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

export type XmlNode = { readonly name: string; text: string; readonly children: XmlNode[] };

/**
 * Parses the small documents S3 requests carry: elements and text, attributes ignored, no DTD, no
 * CDATA. Throws MalformedXML for anything else.
 */
export function parseXml(source: string): XmlNode {
  const top: XmlNode = { name: '', text: '', children: [] };
  const stack: XmlNode[] = [top];
  let end = 0;
  for (const match of source.matchAll(
    /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([\w.:-]+)(?:\s[^<>]*?)?(\/?)>|([^<]+)/g,
  )) {
    if (match.index !== end) throw malformed();
    end = match.index + match[0].length;
    const [, closing, name, empty, text] = match;
    const current = stack.at(-1) ?? top;
    if (text !== undefined) current.text += unescapeXml(text);
    else if (name !== undefined && closing === '/') {
      if (stack.length < 2 || current.name !== name) throw malformed();
      stack.pop();
    } else if (name !== undefined) {
      const node: XmlNode = { name, text: '', children: [] };
      current.children.push(node);
      if (empty !== '/') stack.push(node);
    }
  }
  const [root] = top.children;
  if (end !== source.length || stack.length !== 1 || root === undefined || top.children.length > 1)
    throw malformed();
  return root;
}

/** The text of the first child of that name. */
export function childText(node: XmlNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.text;
}

export function malformed(): S3Error {
  return new S3Error(
    400,
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

function unescapeXml(text: string): string {
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[name];
    if (named !== undefined && whole.endsWith(';')) return named;
    const code = /^#x([0-9a-f]+)$/i.exec(name)?.[1];
    const point =
      code === undefined
        ? Number(/^#(\d+)$/.exec(name)?.[1] ?? Number.NaN)
        : Number.parseInt(code, 16);
    if (!(point <= 0x10ffff)) throw malformed();
    return String.fromCodePoint(point);
  });
}
