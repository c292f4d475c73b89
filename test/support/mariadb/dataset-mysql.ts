import type { VendorObjects } from './dataset-objects.ts';

/**
 * Objects that MariaDB does not have. Defaults that are expressions, such as `CURRENT_TIMESTAMP`,
 * are left out: MySQL marks such columns DEFAULT_GENERATED, and mydumper 0.10 treats them as
 * generated columns.
 */
export const mysqlObjects: VendorObjects = {
  tables: (rows) => [
    'CREATE TABLE computed (`v;1` int AS (a + 1) VIRTUAL, a int, s varchar(50) AS (concat(a, ' +
      "';\\n', '\"it''s\"')) STORED, t varchar(20) CHECK (t <> ';' AND length(t) < 15), " +
      'CONSTRAINT `c 1` CHECK (a > -5), CONSTRAINT unchecked CHECK (a > 1000) NOT ENFORCED, ' +
      'KEY (`v;1`))',
    `INSERT INTO computed (a, t) SELECT seq, concat('t', seq) FROM ${rows(100)}`,
    "CREATE TABLE defaults (a varchar(20) DEFAULT 'it''s;\\n', b varchar(20) DEFAULT 'äß日', " +
      "c timestamp DEFAULT '2020-01-01 00:00:00', d bit(3) DEFAULT b'101', e varbinary(9) " +
      "DEFAULT 'x', f timestamp(6) NULL)",
    "INSERT INTO defaults (f) VALUES ('2024-01-01 00:00:00.123456')",
    'CREATE TABLE by_key (id varchar(20) PRIMARY KEY) PARTITION BY KEY ALGORITHM = 2 (id) ' +
      'PARTITIONS 3',
    `INSERT INTO by_key SELECT LEFT(SHA2(seq, 224), 20) FROM ${rows(50)}`,
    // Functional indexes are hidden generated columns.
    'CREATE TABLE expressions (id int PRIMARY KEY, a int, name varchar(50), ' +
      'KEY `sum;1` ((a + 1)), UNIQUE KEY ((lower(name))), ' +
      "KEY mixed (a, (concat(name, ';\\n', 'it''s')) DESC), KEY unseen (name) INVISIBLE)",
    `INSERT INTO expressions SELECT seq, seq * 2, concat('Näme ', seq) FROM ${rows(100)}`,
    'CREATE TABLE documents (id int PRIMARY KEY, j json NOT NULL, name varchar(50) ' +
      "AS (j->>'$.name') STORED, first int AS (j->'$.tags[0]') VIRTUAL, " +
      "KEY tags ((CAST(j->'$.tags' AS unsigned ARRAY))), " +
      "KEY words (id, (CAST(j->'$.words' AS char(20) ARRAY))), KEY (name), " +
      'CHECK (json_schema_valid(\'{"type": "object"}\', j)))',
    `INSERT INTO documents (id, j) SELECT seq, json_object('name', concat('it''s "', seq, ` +
      `'"'), 'tags', json_array(seq, seq * 2), 'words', json_array('ä', 'b;\\n'), ` +
      `'n', 1.5e0, 'big', 18446744073709551615) FROM ${rows(50)}`,
    'CREATE TABLE mapped (id int PRIMARY KEY, place point NOT NULL SRID 4326, flat polygon ' +
      'NOT NULL SRID 0, SPATIAL KEY (place), SPATIAL KEY (flat))',
    "INSERT INTO mapped VALUES (1, ST_GeomFromText('POINT(51.5 -0.12)', 4326), " +
      "ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')), " +
      "(2, ST_GeomFromText('POINT(-89.9 179.9)', 4326), ST_GeomFromText('POLYGON((0 0, 1e10 0, " +
      "1 1e-10, 0 0))'))",
    'CREATE TABLE collated_0900 (a varchar(20) COLLATE utf8mb4_0900_as_cs, b varchar(20) ' +
      'COLLATE utf8mb4_ja_0900_as_cs_ks, c varchar(20) COLLATE utf8mb4_0900_bin, ' +
      'UNIQUE (a, b)) COLLATE = utf8mb4_de_pb_0900_ai_ci',
    "INSERT INTO collated_0900 VALUES ('Ä', 'は', 'x '), ('ä', 'ハ', 'x'), ('a', 'ば', '')",
    'CREATE TABLE attributes (a int COLUMN_FORMAT FIXED STORAGE DISK, b int) ' +
      'STATS_PERSISTENT = 1 STATS_SAMPLE_PAGES = 30',
    'INSERT INTO attributes VALUES (1, 2)',
  ],
  routines: [],
  views: [
    'CREATE VIEW `mysql only` AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 ' +
      "FROM n WHERE i < 3) SELECT i, row_number() OVER w rn, json_value(json_object('a;', i), " +
      '\'$."a;"\' RETURNING unsigned) j FROM n WINDOW w AS (ORDER BY i DESC)',
  ],
};
