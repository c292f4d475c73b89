import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ForeignStatement } from '../../app/restore/insert-reader.ts';
import { readInChunks, rowsAmong } from './read-inserts.ts';

const PROLOGUE =
  '/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n' +
  "/*!40103 SET TIME_ZONE='+00:00' */;\n";

const ANSI = "SET sql_mode='ANSI_QUOTES';\n";

test.each([
  'DROP DATABASE x;\n',
  'COMMIT;\n',
  'INSERTX;\n',
  'CREATE TABLE t (a int);\n',
  'x',
  // What stands behind a comment, or in one that the server runs.
  '/* rows */ DROP DATABASE x;\n',
  '/* rows */\n\n/* more */DROP DATABASE x;\n',
  '-- rows\nDROP DATABASE x;\n',
  '--\nDROP DATABASE x;\n',
  '--1;\n',
  '-- it does not end',
  '# rows\nDROP DATABASE x;\n',
  '/*!40101 DROP DATABASE x */;\n',
  '/*!DROP DATABASE x */;\n',
  '/*M! DROP DATABASE x */;\n',
  '/*M!100100 DROP DATABASE x */;\n',
  '/*!40101 SET NAMES binary*/ DROP DATABASE x;\n',
  '/*!40101 SET NAMES binary*//*!40101 , GLOBAL read_only=1*/;\n',
  '/* it does not end\nINSERT INTO `t` VALUES (1);\n',
  '/* \0*/ INSERT INTO `t` VALUES (1);\n',
  ' DROP DATABASE x;\n',
  '\r\nDROP DATABASE x;\n',
  // Settings that outlive the session, or end the transaction, or make the mark of a piece.
  'SET GLOBAL read_only=1;\n',
  'SET @@GLOBAL.read_only=1;\n',
  'SET PERSIST sql_mode=1;\n',
  "SET PASSWORD='x';\n",
  'SET autocommit=1;\n',
  'SET sql_mode=1, GLOBAL sql_mode=1;\n',
  'SET sql_mode=(SELECT 1);\n',
  'SET @mydumper_fargate=1;\n',
  "/*!40103 SET TIME_ZONE='+00:00', GLOBAL read_only=1 */;\n",
  'LOCK TABLES `t` WRITE;\n',
  'UNLOCK TABLES;\n',
  // Settings that leave open how literals are read.
  'SET sql_mode=4;\n',
  "SET sql_mode='4';\n",
  'SET sql_mode=DEFAULT;\n',
  'SET sql_mode=@mode;\n',
  'SET sql_mode=@@sql_mode;\n',
  "SET time_zone='@@x';\n",
  'SET NAMES gbk;\n',
  "SET NAMES 'sjis';\n",
  'SET NAMES DEFAULT;\n',
  'SET character_set_client=big5;\n',
  'SET NAMES binary\n',
  // Rows that go elsewhere, or that a query finds.
  'INSERT INTO `mysql`.`user` VALUES (1);\n',
  'INSERT INTO mysql.user VALUES (1);\n',
  'INSERT INTO `mysql` . `user` VALUES (1);\n',
  'INSERT INTO mysql.t VALUES (1);\n',
  'INSERT INTO `mysql`.t VALUES (1);\n',
  'INSERT INTO `mysql.t` VALUES (1);\n',
  'INSERT INTO t.t VALUES (1);\n',
  'REPLACE INTO `a``b`.`c` VALUES (1);\n',
  'INSERT INTO `u` VALUES (1);\n',
  'INSERT INTO T VALUES (1);\n',
  'INSERT INTO `t\0` VALUES (1);\n',
  'INSERT INTO `t` SELECT * FROM mysql.user;\n',
  'INSERT INTO t SELECT;\n',
  'INSERT INTO `t` (SELECT * FROM mysql.user);\n',
  'INSERT INTO `t` ( WITH x AS (SELECT 1) SELECT * FROM x);\n',
  'INSERT INTO `t` TABLE mysql.user;\n',
  'INSERT INTO `t` SET a=1;\n',
  'INSERT INTO `t` VALUES ROW(1);\n',
  'INSERT INTO `t` PARTITION (p0) VALUES (1);\n',
  'INSERT INTO `t` VALUE (1);\n',
  'INSERT INTO `t` VALUESX (1);\n',
  'INSERT `t` VALUES (1);\n',
  'INSERT DELAYED INTO `t` VALUES (1);\n',
  'INSERT /*! INTO mysql.user */ VALUES (1);\n',
  'INSERT/**/INTO `t` VALUES (1);\n',
  "LOAD DATA INFILE '/etc/passwd' INTO TABLE `t`;\n",
  ';\n',
  // Something after rows or between them.
  'INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a=1;\n',
  'INSERT INTO t VALUES (1) RETURNING a;\n',
  'INSERT INTO t VALUES (1) AS x;\n',
  'INSERT INTO t VALUES (1); DROP DATABASE x;\n',
  'INSERT INTO t VALUES (1);;\n',
  'INSERT INTO t VALUES (1);\0\n',
  'INSERT INTO t VALUES (1)\0;\n',
  'INSERT INTO t VALUES (1)/*!50000 , (2)*/;\n',
  'INSERT INTO t VALUES (1)/* */;\n',
  'INSERT INTO t VALUES (1) -- x\n;\n',
  'INSERT INTO t VALUES (1) # x\n;\n',
  'INSERT INTO t VALUES (1),;\n',
  'INSERT INTO t VALUES (1) (2);\n',
  'INSERT INTO t VALUES (1)\n',
  'INSERT INTO t VALUES ;\n',
  'INSERT INTO t VALUES',
  // What is no literal.
  'INSERT INTO t VALUES ();\n',
  'INSERT INTO t VALUES (1,);\n',
  'INSERT INTO t VALUES (,1);\n',
  'INSERT INTO t VALUES ((1));\n',
  'INSERT INTO t VALUES (1+1);\n',
  'INSERT INTO t VALUES (--1);\n',
  'INSERT INTO t VALUES (1 2);\n',
  'INSERT INTO t VALUES (1e);\n',
  'INSERT INTO t VALUES (1a);\n',
  'INSERT INTO t VALUES (.);\n',
  'INSERT INTO t VALUES (0x);\n',
  'INSERT INTO t VALUES (0X41);\n',
  'INSERT INTO t VALUES (0x4g);\n',
  "INSERT INTO t VALUES (x'4');\n",
  "INSERT INTO t VALUES (x '41');\n",
  "INSERT INTO t VALUES (b'2');\n",
  "INSERT INTO t VALUES (N'a');\n",
  'INSERT INTO t VALUES (SELECT 1);\n',
  'INSERT INTO t VALUES ((SELECT 1));\n',
  'INSERT INTO t VALUES (user());\n',
  'INSERT INTO t VALUES (@@version);\n',
  'INSERT INTO t VALUES (@a);\n',
  'INSERT INTO t VALUES (a);\n',
  'INSERT INTO t VALUES (`a`);\n',
  'INSERT INTO t VALUES (DEFAULT);\n',
  'INSERT INTO t VALUES (?);\n',
  'INSERT INTO t VALUES (NULLX);\n',
  'INSERT INTO t VALUES (_binary);\n',
  'INSERT INTO t VALUES (_ "a");\n',
  'INSERT INTO t VALUES (_binary 1);\n',
  'INSERT INTO t VALUES (_binary _binary "a");\n',
  'INSERT INTO t VALUES ("a" "b");\n',
  'INSERT INTO t VALUES ("a"\'b\');\n',
  'INSERT INTO t VALUES ("a" COLLATE utf8mb4_bin);\n',
  'INSERT INTO t VALUES ("a);\n',
  'INSERT INTO t VALUES ("a\\");\n',
  'INSERT INTO t VALUES (CONVERT("a" USING gbk));\n',
  'INSERT INTO t VALUES (CONVERT("a", CHAR));\n',
  'INSERT INTO t VALUES (CONVERT(user() USING utf8mb4));\n',
  'INSERT INTO t VALUES (CONVERT("a"USING utf8mb4));\n',
  // Where `"…"` is a name.
  `${ANSI}INSERT INTO t VALUES ("a");\n`,
  `${ANSI}INSERT INTO t VALUES (_binary "a");\n`,
  `${ANSI}INSERT INTO t VALUES (CONVERT("a" USING utf8mb4));\n`,
  `${ANSI}SET time_zone="x";\n`,
  'SET sql_mode=ansi;\nINSERT INTO t VALUES ("a");\n',
  'INSERT INTO "t" VALUES (1);\n',
  // Where a backslash is a byte like any other, and where it no longer is.
  "SET sql_mode='NO_BACKSLASH_ESCAPES';\nINSERT INTO t VALUES ('a\\', user()); -- ');\n",
  "SET sql_mode='NO_BACKSLASH_ESCAPES';\nSET sql_mode=@OLD_SQL_MODE;\n" +
    "INSERT INTO t VALUES ('a\\');\n",
])('what is no row of literals for its own table is refused: %j', (text) => {
  for (const before of [PROLOGUE, 'INSERT INTO `t` VALUES (1);\n']) {
    for (const size of [1, 9, 100_000]) {
      expect(() => readInChunks(before + text, [size])).toThrow(ForeignStatement);
    }
  }
});

test.each([
  'INSERT IGNORE INTO `t` (`a`,`b.c`) VALUES(1,2);\n',
  'REPLACE INTO `t` VALUES (1);\n',
  `${ANSI}REPLACE INTO "t" ("a""b") VALUES ('"');\n`,
  'insert into t(`SELECT`) values (1);\n',
  'INSERT INTO t VALUES\t(1)\r\n;',
  '-- rows\n/* of\nt */ INSERT INTO `t` VALUES (1);\n',
  '--\n/**//***/INSERT INTO`t`VALUES(1);',
  'INSERT INTO t VALUES (NULL,null,0,-1,+1,1.5,.5,1.,-1.5e-30,1E+5,00012);\n',
  "INSERT INTO t VALUES (0x4aF,x'4a4B',X'',b'01',B'');\n",
  'INSERT INTO t VALUES ("a;\n\\"""(\0\\\\",\'"\\\'\'\'\');\n',
  "INSERT INTO t VALUES (_binary \"a\",_utf8mb4'b',_latin1 0x41,_binary\tx'41');\n",
  'INSERT INTO t VALUES (CONVERT("{\\"a\\": 1}" USING UTF8MB4));\n',
  "INSERT INTO t VALUES (convert ( '[]' using utf8mb4 ));\n",
  "SET sql_mode='NO_BACKSLASH_ESCAPES';\nINSERT INTO t VALUES ('a\\','b''\\');\n",
])('rows that are taken: %j', (text) => {
  for (const sizes of [[1], [5], [100_000]]) {
    const rows = rowsAmong(readInChunks(PROLOGUE + text, sizes));
    expect(rows.map((each) => each.rows)).toEqual([1]);
  }
});

test.each([
  ['a`b', 'INSERT INTO `a``b` VALUES (1);\n'],
  ['mysql.user', 'INSERT INTO `mysql.user` VALUES (1);\n'],
  ['täble', 'INSERT INTO täble VALUES (1);\n'],
  ['a"b', `${ANSI}INSERT INTO "a""b" VALUES (1);\n`],
])('a table named %j is found under its quoted name', (table, text) => {
  expect(rowsAmong(readInChunks(text, [3], { table }))).toHaveLength(1);
  expect(() => readInChunks(text, [3], { table: `${table}x` })).toThrow(ForeignStatement);
});

test.each([
  ['a comment', `/*${' '.repeat(70_000)}*/ INSERT INTO t VALUES (1);\n`],
  ['a comment before a statement', `/*${' '.repeat(70_000)}*/ DROP DATABASE x;\n`],
  ['a head', `INSERT INTO \`t\` (\`${'a'.repeat(70_000)}\`) VALUES (1);\n`],
  ['white space between rows', `INSERT INTO t VALUES (1)${' '.repeat(70_000)},(2);\n`],
])('%s of more bytes than mydumper writes is refused', (_what, text) => {
  for (const size of [999, 100_000])
    expect(() => readInChunks(PROLOGUE + text, [size])).toThrow(ForeignStatement);
});

test('a name that is not UTF-8 is refused: a server may take its quote for a part of it', () => {
  const text = Buffer.concat([
    Buffer.from('INSERT INTO t (`a'),
    Buffer.from([0xe2]),
    Buffer.from('`) VALUES (1);\n'),
  ]);
  expect(() => readInChunks(text, [100])).toThrow(ForeignStatement);
});

test('a statement that drops is refused, after any comments and in any spelling', () => {
  const lead = fc.array(
    fc.constantFrom(
      ...['/**/', '/* ; */', '-- x\n', '--\n', ' ', '\t', '\n'],
      ...['/*! */', '/*!50000', '#\n', '*/', ';'],
    ),
    { maxLength: 6 },
  );
  const word = fc.mixedCase(
    fc.constantFrom('DROP DATABASE x', 'TRUNCATE t', 'GRANT ALL ON *.* TO x', 'COMMIT'),
  );
  const ending = fc.constantFrom(';\n', '*/;\n', ' -- ;\n', '');
  fc.assert(
    fc.property(lead, word, ending, (before, statement, end) => {
      const text = `${before.join('')}${statement}${end}`;
      expect(() => readInChunks(PROLOGUE + text, [3])).toThrow(ForeignStatement);
    }),
  );
});

test('messages name the place, and of a row only the byte that does not belong there', () => {
  expect(() => readInChunks(`${PROLOGUE}DROP DATABASE x;\n`, [5])).toThrow(
    `it holds a statement that is no INSERT into its table, at byte ${PROLOGUE.length}: "D`,
  );
  expect(() => readInChunks('INSERT INTO t VALUES ("secret",user());\n', [500])).toThrow(
    /^a row or what follows it is not as mydumper writes it: "u" at byte 31$/,
  );
});
