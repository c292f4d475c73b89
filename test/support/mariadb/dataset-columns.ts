import type { Random } from './random.ts';
import type { Vendor } from './server-program.ts';

export type Value = string | number | bigint | Buffer | null | { toSqlString(): string };
type Column = readonly [
  name: string,
  definition: string,
  value: (random: Random, row: number) => Value,
];

const raw = (sql: string): Value => ({ toSqlString: () => sql });
const bit = (random: Random, bits: number): Value =>
  raw(`b'${Array.from({ length: bits }, () => random.int(2)).join('')}'`);

function integers(): Column[] {
  const sizes = [
    ['tinyint', 8],
    ['smallint', 16],
    ['mediumint', 24],
    ['int', 32],
    ['bigint', 64],
  ] as const;
  return sizes.flatMap(([type, bits]): Column[] => {
    const top = 1n << BigInt(bits);
    const signed = (random: Random): bigint => random.pick([-top / 2n, top / 2n - 1n, -1n, 0n, 1n]);
    const unsigned = (random: Random): bigint => random.pick([0n, 1n, top / 2n, top - 1n]);
    return [
      [`${type} s`, type, signed],
      [`${type} u`, `${type} unsigned`, unsigned],
      [`${type} z`, `${type}(9) unsigned zerofill`, unsigned],
    ];
  });
}

const NUMBERS: readonly Column[] = [
  ...integers(),
  ['bool', 'boolean', (r) => r.int(2)],
  [
    'dec65',
    'decimal(65,30)',
    (r) => `${r.pick(['-', ''])}${'9'.repeat(r.int(35) + 1)}.${'1234567890'.repeat(3)}`,
  ],
  ['dec', 'decimal(10,0) unsigned zerofill', (r) => r.int(1e9)],
  // A FLOAT reads back as text with six digits, so what a dump can keep of it is just that.
  ['float', 'float', (r) => `${r.pick(['-', ''])}${r.int(999999)}e${r.int(60) - 30}`],
  ['float(7,3)', 'float(7,3)', (r) => (r.int(2_000_000) - 1_000_000) / 1000],
  [
    'double',
    'double',
    (r) => `${r.pick(['-', ''])}1.${r.int(1e9) + 1}${r.int(999999) + 1}e${r.int(600) - 300}`,
  ],
  [
    'double edge',
    'double',
    (r) => r.pick(['1.7976931348623157e308', '2.2250738585072014e-308', '0.1', '-1e22']),
  ],
  ...[1, 7, 8, 9, 31, 63, 64].map((n): Column => [`bit${n}`, `bit(${n})`, (r) => bit(r, n)]),
];

const STRINGS: readonly Column[] = [
  ['char', 'char(40)', (r) => r.text(40)],
  ['char empty', "char(10) not null default ''", () => ''],
  ['varchar', 'varchar(500)', (r) => r.text(r.int(500))],
  ['tinytext', 'tinytext', (r) => r.text(r.int(60))],
  ['text', 'text', (r) => r.text(r.int(2000))],
  ['mediumtext', 'mediumtext', (r) => r.text(r.int(3000))],
  ['longtext', 'longtext', (r) => r.text(r.int(3000))],
  [
    'utf8mb3',
    'varchar(100) character set utf8mb3 collate utf8mb3_bin',
    (r) => r.pick(['äöü', '日本', "'", '']),
  ],
  [
    'latin1',
    'varchar(100) character set latin1',
    (r) => r.pick(['äöüß', 'ÿ\\', "it's ", '', '\u0001']),
  ],
  ['ucs2', 'varchar(50) character set ucs2', (r) => r.pick(['äöü', '日本', ';\n'])],
  ['cp932', 'varchar(50) character set cp932', (r) => r.pick(['表示', 'ソ', '能'])],
  [
    'ascii',
    "varchar(50) character set ascii default 'a;b'",
    (r) => r.pick(['', "'", '"', '\\', '\u0000']),
  ],
  [
    'json',
    'json',
    (r) => JSON.stringify({ 'kéy "q"': r.text(20), n: [r.int(9), null, true, {}], e: '\u0000\\' }),
  ],
  ['enum', "enum('a','b;\\n','it''s','x\"y','ö','日本')", (r) => r.int(7)],
  ['enum invalid', "enum('a','b') not null", (r) => r.int(3)],
  ['set', "set('a','b','c d','é')", (r) => r.int(16)],
];

const BINARIES: readonly Column[] = [
  [
    'all bytes',
    'varbinary(256)',
    () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  ],
  ['one byte', 'binary(1)', (_r, row) => Buffer.from([row % 256])],
  ['binary', 'binary(16)', (r) => r.bytes(r.int(17))],
  ['varbinary', 'varbinary(300)', (r) => r.bytes(r.int(300))],
  [
    'trailing',
    'varbinary(9)',
    (r) => r.pick([Buffer.from('a \0'), Buffer.from('a  '), Buffer.from('\0'), Buffer.alloc(0)]),
  ],
  ['tinyblob', 'tinyblob', (r) => r.bytes(r.int(256))],
  ['blob', 'blob', (r) => r.bytes(r.int(2000))],
  ['mediumblob', 'mediumblob', (r) => r.bytes(r.int(2000))],
  ['longblob', 'longblob', (r) => r.bytes(r.int(2000))],
];

const TIMES: readonly Column[] = [
  [
    'date',
    'date',
    (r) => r.pick(['0000-00-00', '1000-01-01', '2024-02-29', '9999-12-31', '2024-00-00']),
  ],
  [
    'datetime',
    'datetime',
    (r) => r.pick(['0000-00-00 00:00:00', '9999-12-31 23:59:59', '2024-03-31 02:30:00']),
  ],
  ['datetime6', 'datetime(6)', (r) => `2024-06-15 12:00:00.${String(r.int(1e6)).padStart(6, '0')}`],
  [
    'timestamp',
    'timestamp null',
    (r) => r.pick(['0000-00-00 00:00:00', '1970-01-01 00:00:01', '2038-01-19 03:14:07']),
  ],
  [
    'timestamp6',
    'timestamp(6) null',
    (r) => `2024-10-27 0${r.int(4)}:30:00.${String(r.int(1e6)).padStart(6, '0')}`,
  ],
  [
    'stamped',
    "timestamp not null default '2001-02-03 04:05:06' on update current_timestamp()",
    () => '2002-03-04 05:06:07',
  ],
  ['time', 'time', (r) => r.pick(['-838:59:59', '838:59:59', '00:00:00', '-00:00:01'])],
  [
    'time6',
    'time(6)',
    (r) => r.pick(['-838:59:59.999999', '838:59:59.999999', '-00:00:00.000001']),
  ],
  ['year', 'year', (r) => r.pick([0, 1901, 2155, 2024])],
];

/** MySQL applies an SRID's order and limits of coordinates. */
const POINTS: Readonly<Record<Vendor, Column>> = {
  mariadb: [
    'point',
    'point',
    (r) =>
      raw(
        `ST_GeomFromText('POINT(${r.int(360) - 180}.5 ${r.int(180) - 90})', ${r.pick([0, 4326])})`,
      ),
  ],
  mysql: [
    'point',
    'point',
    (r) =>
      raw(`ST_GeomFromText('POINT(${r.int(90)}.5 ${r.int(180)})', ${r.pick([0, 4326, 3857])})`),
  ],
};

const PLACES: readonly Column[] = [
  [
    'line',
    'linestring',
    (r) => raw(`ST_GeomFromText('LINESTRING(0 0, ${r.int(9)} 1, 2 ${r.int(9)})')`),
  ],
  [
    'polygon',
    'polygon',
    (r) => raw(`ST_GeomFromText('POLYGON((0 0, ${r.int(9) + 1} 0, 5 ${r.int(9) + 1}, 0 0))')`),
  ],
  [
    'geometry',
    'geometry',
    (r) => raw(`ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 ${r.int(9)}), LINESTRING(0 0, 1 1))')`),
  ],
  ['multi', 'multipoint', (r) => raw(`ST_GeomFromText('MULTIPOINT(0 0, 1 ${r.int(9)})')`)],
];

const OWN_STRINGS: Readonly<Record<Vendor, readonly Column[]>> = {
  mariadb: [['compressed', 'longtext compressed', (r) => r.text(500)]],
  mysql: [
    ['accents', 'varchar(100) collate utf8mb4_0900_as_ci', (r) => r.text(20)],
    ['0900 bin', 'longtext collate utf8mb4_0900_bin', (r) => r.text(500)],
    ['gb18030', 'varchar(50) character set gb18030', (r) => r.pick(['表示', 'äöü', '\\;\n'])],
  ],
};

type Table = readonly [name: string, columns: readonly Column[], suffix: string];

/** Tables whose columns cover every type that a dump and a load keep. */
export function tablesOf(vendor: Vendor): Table[] {
  const strings = [...STRINGS, ...OWN_STRINGS[vendor]];
  return [
    ['numbers', NUMBERS, ''],
    ['strings', strings, 'ROW_FORMAT=DYNAMIC'],
    ['strings myisam', strings, 'ENGINE=MyISAM'],
    ['binaries', BINARIES, ''],
    ['times', TIMES, ''],
    ['places', [POINTS[vendor], ...PLACES], ''],
  ];
}
