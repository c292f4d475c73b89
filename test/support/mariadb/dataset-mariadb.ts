import type { VendorObjects } from './dataset-objects.ts';

/** Objects that MySQL does not have, or that mydumper 0.10 keeps on MariaDB only. */
export const mariadbObjects: VendorObjects = {
  tables: (rows) => [
    'CREATE TABLE computed (`v;1` int AS (a + 1) VIRTUAL, a int, s varchar(50) AS (concat(a, ' +
      "';\\n', '\"it''s\"')) STORED, d int DEFAULT (a * 2), u char(36) DEFAULT (concat('x', " +
      "'y')), t varchar(20) CHECK (t <> ';' AND length(t) < 15), " +
      'CONSTRAINT `c 1` CHECK (a > -5), KEY (`v;1`))',
    "CREATE TABLE defaults (a varchar(20) DEFAULT 'it''s;\\n', b varchar(20) DEFAULT 'äß日', " +
      "c timestamp DEFAULT '2020-01-01 00:00:00', d bit(3) DEFAULT b'101', e varbinary(9) " +
      "DEFAULT 'x', f timestamp(6) NULL DEFAULT current_timestamp(6))",
    "INSERT INTO defaults (f) VALUES ('2024-01-01 00:00:00.123456')",
    'CREATE TABLE by_key (id varchar(20) PRIMARY KEY) ENGINE = MyISAM PARTITION BY KEY (id) ' +
      'PARTITIONS 3',
    `INSERT INTO by_key SELECT LEFT(SHA2(seq, 224), 20) FROM ${rows(50)}`,
    'CREATE TABLE aria (id int AUTO_INCREMENT PRIMARY KEY, t text) ENGINE = Aria TRANSACTIONAL = 1',
    `INSERT INTO aria SELECT seq, repeat('x', seq) FROM ${rows(50)}`,
    'CREATE SEQUENCE counter START WITH 5 INCREMENT BY 3',
    'DO NEXTVAL(counter)',
    'CREATE TABLE periods (a int, s date, e date, PERIOD FOR p (s, e), ' +
      'UNIQUE (a, p WITHOUT OVERLAPS))',
    "INSERT INTO periods VALUES (1, '2020-01-01', '2021-01-01'), (1, '2021-01-01', '2022-01-01')",
    `INSERT INTO computed (a, t) SELECT seq, concat('t', seq) FROM ${rows(100)}`,
  ],
  routines: [
    'CREATE AGGREGATE FUNCTION total(x int) RETURNS bigint BEGIN\n  DECLARE s bigint ' +
      'DEFAULT 0;\n  DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN s;\n' +
      '  LOOP FETCH GROUP NEXT ROW; SET s = s + x; END LOOP;\nEND',
  ],
  views: [],
};
