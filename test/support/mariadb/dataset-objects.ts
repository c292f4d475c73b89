import type { Connection } from 'mysql2/promise';
import { mariadbObjects } from './dataset-mariadb.ts';
import { mysqlObjects } from './dataset-mysql.ts';
import type { Vendor } from './server-program.ts';
import { rowNumbers } from './sql.ts';

/** A FROM clause's source for the column `seq` with the numbers 1 to `count`. */
export type RowNumbers = (count: number) => string;

/** Statements that only one vendor accepts. */
export type VendorObjects = {
  readonly tables: (rows: RowNumbers) => readonly string[];
  readonly routines: readonly string[];
  readonly views: readonly string[];
};

/** Tables that both MariaDB and MySQL accept. */
const tables = (rows: RowNumbers): string[] => [
  // Foreign keys, also in a circle and to the table itself.
  'CREATE TABLE customer (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50) NOT NULL, ' +
    'last_order int, parent int REFERENCES customer (id)) AUTO_INCREMENT = 1000',
  'CREATE TABLE `order` (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, customer int ' +
    'NOT NULL, `key` varchar(10), CONSTRAINT `fk "1"` FOREIGN KEY (customer) ' +
    'REFERENCES customer (id) ON DELETE CASCADE ON UPDATE CASCADE) AUTO_INCREMENT = 7',
  'ALTER TABLE customer ADD CONSTRAINT last_order FOREIGN KEY (last_order) ' +
    'REFERENCES customer (id)',
  'CREATE TABLE `a child first` (c bigint unsigned, FOREIGN KEY (c) REFERENCES `order` (id))',
  "INSERT INTO customer (id, name, last_order) VALUES (1, 'first', NULL), (2, 'second', 1), " +
    "(900, 'gap', 2)",
  "INSERT INTO `order` (id, customer, `key`) VALUES (1, 2, 'a'), (2, 2, 'b'), (50000, 900, 'gap')",
  'INSERT INTO `a child first` VALUES (1), (50000), (NULL)',
  // Generated columns, default expressions, constraints.
  // No key at all, duplicates, empty tables, comments.
  'CREATE TABLE keyless (a int, b varchar(10))',
  "INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL)",
  'CREATE TABLE empty_innodb (a int) AUTO_INCREMENT = 0',
  'CREATE TABLE empty_counter (a int AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 4711',
  'CREATE TABLE empty_myisam (a int AUTO_INCREMENT PRIMARY KEY) ' +
    'ENGINE = MyISAM AUTO_INCREMENT = 99',
  "CREATE TABLE commented (a int COMMENT 'it''s \"a\" `column`;\\nsecond line; -- \\\\', " +
    "b int COMMENT 'ünïcödé 日本') COMMENT = 'table ''comment'';\\n\"two\" lines;\\r\\nä %s'",
  'INSERT INTO commented VALUES (1, 2)',
  // Engines, partitions and indexes.
  'CREATE TABLE by_range (id int, d date NOT NULL, PRIMARY KEY (id, d)) ' +
    'PARTITION BY RANGE (year(d)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (' +
    'PARTITION p0 VALUES LESS THAN (2000), ' +
    "PARTITION `p 1` VALUES LESS THAN (2020) COMMENT = 'it''s', " +
    'PARTITION pmax VALUES LESS THAN MAXVALUE)',
  `INSERT INTO by_range SELECT seq, '1990-01-01' + INTERVAL seq WEEK FROM ${rows(2000)}`,
  'CREATE TABLE by_list (a varchar(9)) PARTITION BY LIST COLUMNS (a) (PARTITION x ' +
    "VALUES IN ('a', 'b;'), PARTITION y VALUES IN ('it''s', NULL))",
  "INSERT INTO by_list VALUES ('a'), ('b;'), ('it''s'), (NULL)",
  'CREATE TABLE by_hash (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3',
  `INSERT INTO by_hash SELECT seq FROM ${rows(50)}`,
  'CREATE TABLE memory (id int PRIMARY KEY, t varchar(10)) ENGINE = MEMORY',
  "INSERT INTO memory VALUES (1, 'one'), (2, NULL)",
  'CREATE TABLE csv (a int NOT NULL, t text NOT NULL) ENGINE = CSV',
  'INSERT INTO csv VALUES (1, \'comma, "quote"\\n\')',
  'CREATE TABLE compressed (id int PRIMARY KEY, t longtext) ROW_FORMAT = COMPRESSED ' +
    'KEY_BLOCK_SIZE = 8',
  `INSERT INTO compressed SELECT seq, repeat(LEFT(SHA2(seq, 224), 20), 50) FROM ${rows(50)}`,
  'CREATE TABLE searched (id int PRIMARY KEY, t text, u varchar(200), ' +
    'g point NOT NULL, FULLTEXT KEY `ft 1` (t, u), SPATIAL KEY (g), UNIQUE KEY (u(20)), ' +
    'KEY `desc` (u DESC, id))',
  "INSERT INTO searched SELECT seq, concat('word', seq), concat(seq, 'unique'), " +
    `POINT(seq, -seq) FROM ${rows(50)}`,
  'CREATE TABLE collated (a varchar(20) COLLATE utf8mb4_german2_ci, ' +
    'b varchar(20) CHARACTER SET latin2) DEFAULT CHARSET = utf8mb3 COLLATE = utf8mb3_bin',
  "INSERT INTO collated VALUES ('Ä', 'ž'), ('ae', 'Ž')",
  'CREATE TABLE merged_1 (a int NOT NULL) ENGINE = MyISAM',
  'INSERT INTO merged_1 VALUES (1), (2)',
  'CREATE TABLE merged (a int NOT NULL) ENGINE = MERGE UNION = (merged_1) INSERT_METHOD = LAST',
  "CREATE TABLE line_ends (a varchar(9) CHECK (a <> ';\n'), " +
    "b varchar(20) AS (concat(a, ';\n')) VIRTUAL)",
  "INSERT INTO line_ends (a) VALUES ('x')",
  'CREATE TABLE audit (id int AUTO_INCREMENT PRIMARY KEY, what text)',
];

const BODY = `
  -- a comment; with a semicolon;
  /* and another;
     over two lines; "quoted" */
  DECLARE text1 text DEFAULT 'semicolon; inside, it''s "quoted" \\\\ %s';
  DECLARE \`odd name;\` int DEFAULT 1;
  # hash comment;
  IF \`odd name;\` > 0 THEN
    SET text1 = concat(text1, 'ünïcödé 日本😀;', "double;", '\\n;');
  END IF;
`;

const VIEWS = [
  'CREATE VIEW `z view` AS SELECT id, name, id * 2 twice FROM customer',
  'CREATE VIEW `a view on a view` AS SELECT twice, name `odd ";col"` FROM `z view` ' +
    "WHERE name <> 'x;y' WITH CASCADED CHECK OPTION",
  'CREATE ALGORITHM = TEMPTABLE SQL SECURITY INVOKER VIEW `100% "view"` AS SELECT count(*) n, ' +
    'max(twice) m FROM `a view on a view`',
  'CREATE VIEW `b on all` AS SELECT v.n, c.id, \'lit;\\neral\' lit FROM `100% "view"` v ' +
    'JOIN customer c UNION ALL SELECT 1, 2, "it\'s"',
  'CREATE DEFINER = nobody@nowhere VIEW `of nobody` AS SELECT 1 one',
];

const VIEWS_OF_ROUTINES = ['CREATE VIEW `with.dot` AS SELECT tax(id) taxed FROM `order`'];

const ROUTINES = [
  'CREATE FUNCTION tax(a int) RETURNS decimal(10,2) DETERMINISTIC RETURN a * 0.19',
  'CREATE FUNCTION `odd "function" %s`(a text CHARSET utf8mb4) ' +
    `RETURNS text CHARSET utf8mb4 NO SQL COMMENT 'it''s; a "comment"' ` +
    `BEGIN${BODY}  RETURN concat(a, text1);\nEND`,
  'CREATE PROCEDURE `select`(IN a int, OUT b text, INOUT `c d` int) MODIFIES SQL DATA ' +
    `SQL SECURITY INVOKER BEGIN${BODY}  SELECT 1;\n  INSERT INTO audit (what) VALUES ('x;');\nEND`,
  'CREATE DEFINER = `app "user"`@`10.%` PROCEDURE `with definer`() ' +
    "SELECT 'one line; only' -- trailing comment",
  'CREATE PROCEDURE `0 digits`() BEGIN END',
];

const TRIGGERS = [
  `CREATE TRIGGER \`t b\` BEFORE INSERT ON customer FOR EACH ROW BEGIN${BODY}  ` +
    "SET NEW.name = concat(NEW.name, ';');\nEND",
  'CREATE TRIGGER `a second` BEFORE INSERT ON customer FOR EACH ROW FOLLOWS `t b` ' +
    "SET NEW.name = concat(NEW.name, '2')",
  'CREATE TRIGGER `c first` BEFORE INSERT ON customer FOR EACH ROW PRECEDES `t b` ' +
    "SET NEW.name = concat('1', NEW.name)",
  'CREATE TRIGGER au AFTER UPDATE ON customer FOR EACH ROW INSERT INTO audit (what) ' +
    "VALUES (concat(OLD.name, ';\t', NEW.name))",
  'CREATE DEFINER = `app "user"`@`10.%` TRIGGER bd BEFORE DELETE ON customer FOR EACH ROW ' +
    'SET @gone = OLD.id',
  'CREATE TRIGGER `emoji` AFTER INSERT ON `order` FOR EACH ROW INSERT INTO audit (what) ' +
    "VALUES ('ä日😀')",
];

const EVENTS = [
  `CREATE EVENT \`nightly; "event"\` ON SCHEDULE EVERY '1:30' HOUR_MINUTE ` +
    "STARTS '2035-01-01 03:00:00' ENDS '2036-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE " +
    `COMMENT 'it''s; "one"' DO BEGIN${BODY}  DELETE FROM audit WHERE id < 0;\nEND`,
  "CREATE EVENT once ON SCHEDULE AT '2035-06-01 00:00:00' DO DO 1",
  'CREATE DEFINER = `app "user"`@`10.%` EVENT `disabled on slave` ON SCHEDULE EVERY 1 WEEK ' +
    "STARTS '2035-01-01 00:00:00' DISABLE ON SLAVE DO SELECT 'a;b'",
];

/**
 * Creates procedures and functions in the current database, with bodies that are hard to split into
 * statements.
 */
export async function createRoutines(connection: Connection, vendor: Vendor): Promise<void> {
  const own = vendor === 'mariadb' ? mariadbObjects : mysqlObjects;
  await connection.query('CREATE TABLE audit (id int AUTO_INCREMENT PRIMARY KEY, what text)');
  for (const statement of [...ROUTINES, ...own.routines]) await connection.query(statement);
}

/**
 * Creates tables of every sort in the current database, with views, routines, triggers and events
 * around them.
 */
export async function createObjects(
  connection: Connection,
  vendor: Vendor,
  withRoutines: boolean,
): Promise<void> {
  const own = vendor === 'mariadb' ? mariadbObjects : mysqlObjects;
  const rows: RowNumbers = (count) => rowNumbers({ vendor }, count);
  await connection.query('SET FOREIGN_KEY_CHECKS = 0');
  for (const statement of [...tables(rows), ...own.tables(rows)]) await connection.query(statement);
  await connection.query('SET FOREIGN_KEY_CHECKS = 1');
  // mydumper 0.10 does not keep the SQL mode of their creation. A load gives them the server's own
  // mode.
  await connection.query('SET SESSION sql_mode = DEFAULT');
  const routines = withRoutines ? [...ROUTINES, ...own.routines, ...VIEWS_OF_ROUTINES] : [];
  const programs = [...routines, ...VIEWS, ...own.views, ...TRIGGERS, ...EVENTS];
  for (const statement of programs) await connection.query(statement);
  await connection.query("SET SESSION sql_mode = ''");
}
