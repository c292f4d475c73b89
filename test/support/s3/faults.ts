import type { Answer, Operation, Target } from './types.ts';

/** What goes wrong. Sizes are bytes, times milliseconds. */
export type FaultAction =
  /**
   * Answers this error, without reading the body, or after reading `afterBytes` of it. Nothing is
   * carried out.
   */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly afterBytes?: number;
    }
  /**
   * Resets the TCP connection, at once or after reading `afterBytes` of the body. Nothing is
   * carried out.
   */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  /** Does nothing that long (not even reading), then carries on. */
  | { readonly kind: 'stall'; readonly milliseconds: number }
  /** Moves this request's body, in or out, no faster than that. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** Carries out the request and answers a checksum that is wrong. */
  | { readonly kind: 'wrong-checksum' }
  /** Carries out the request and answers no checksum, as an older S3-compatible store does. */
  | { readonly kind: 'no-checksum' }
  /** Carries out a write as if it had no If-None-Match, as a store without support for it does. */
  | { readonly kind: 'ignore-condition' }
  /** Answers 200, some whitespace and then an error document; nothing is carried out. */
  | { readonly kind: 'error-in-ok'; readonly code: string; readonly message?: string }
  /** Carries out the request, then cuts the connection instead of answering. */
  | { readonly kind: 'lost-answer' }
  /**
   * Carries out the request and cuts the connection in the middle of the answer: of its document,
   * or of its head where it has none.
   */
  | { readonly kind: 'cut-answer' }
  /**
   * Carries out the request and answers a byte at a time, so slowly that the answer's head never
   * ends.
   */
  | { readonly kind: 'drip'; readonly millisecondsPerByte: number }
  /** GetObject: declares the full length and cuts the connection after that many bytes. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** GetObject: flips one bit of the first byte sent. */
  | { readonly kind: 'corrupt' }
  /**
   * Answers 403 RequestTimeTooSkewed with a Date that far ahead (by default 20 minutes). Nothing is
   * carried out.
   */
  | { readonly kind: 'clock-skew'; readonly aheadMilliseconds?: number };

/** Which requests a fault strikes; a condition left out matches everything. */
export type FaultRule = {
  readonly operation?: Operation | readonly Operation[];
  readonly key?: RegExp;
  readonly partNumber?: number;
  /** Lets the first so many matching requests pass. Default 0. */
  readonly skip?: number;
  /** Strikes so many times; Infinity is allowed. Default 1. */
  readonly times?: number;
  readonly action: FaultAction;
};

export type Fault = {
  /** How often it has struck so far. */
  readonly hits: number;
  remove(): void;
};

export type Faults = {
  /** Rules are asked in the order they were added; the first that strikes is the only one to. */
  add(rule: FaultRule): Fault;
  clear(): void;
};

/** The switchable faults, and `strike`, which the server asks once per request. */
export function createFaults(): Faults & { strike(target: Target): FaultAction | undefined } {
  type Active = { readonly rule: FaultRule; seen: number; hits: number };
  const active = new Set<Active>();
  return {
    add(rule) {
      const state: Active = { rule, seen: 0, hits: 0 };
      active.add(state);
      return {
        get hits() {
          return state.hits;
        },
        remove: () => void active.delete(state),
      };
    },
    clear: () => active.clear(),
    strike(target) {
      for (const state of active) {
        if (state.hits >= (state.rule.times ?? 1) || !matches(state.rule, target)) continue;
        state.seen += 1;
        if (state.seen <= (state.rule.skip ?? 0)) continue;
        state.hits += 1;
        return state.rule.action;
      }
      return undefined;
    },
  };
}

function matches(rule: FaultRule, target: Target): boolean {
  const operations = rule.operation === undefined ? undefined : [rule.operation].flat();
  if (operations !== undefined && !operations.includes(target.operation)) return false;
  // `search` rather than `test`, which would remember its place in a global expression.
  if (rule.key !== undefined && target.key.search(rule.key) === -1) return false;
  return (
    rule.partNumber === undefined || target.query.get('partNumber') === String(rule.partNumber)
  );
}

/** The answer with its checksums falsified or left out, in headers and document alike. */
export function tamper(answer: Answer, kind: 'wrong-checksum' | 'no-checksum'): Answer {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (!name.startsWith('x-amz-checksum-')) headers[name] = value;
    else if (kind === 'wrong-checksum')
      headers[name] = isDescription(name) || value === undefined ? value : falsified(value);
  }
  const { body } = answer;
  if (typeof body !== 'string') return { ...answer, headers };
  const changed = body.replace(
    /<(Checksum\w+)>([^<]*)<\/\1>/g,
    (whole, name: string, value: string) => {
      if (kind === 'no-checksum') return '';
      return isDescription(name) ? whole : `<${name}>${falsified(value)}</${name}>`;
    },
  );
  return { ...answer, headers, body: changed };
}

function isDescription(name: string): boolean {
  return /checksum-?(algorithm|type)$/i.test(name);
}

function falsified(value: string): string {
  const [digest = '', suffix] = value.split('-');
  const bytes = Buffer.from(digest, 'base64');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes.toString('base64') + (suffix === undefined ? '' : `-${suffix}`);
}
