/**
 * The databases of recordings, as SQL that both MariaDB and MySQL accept. Tests that play a
 * recording make the same databases.
 */

/**
 * One database that 0.10 can dump too, of InnoDB tables with a view, triggers, routines, an event,
 * a table without rows and generated columns.
 */
export const SHOP: readonly string[] = [
  'CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  'CREATE TABLE shop.customers (id int PRIMARY KEY, name varchar(40) NOT NULL, note text, ' +
    'photo varbinary(20)) ENGINE=InnoDB',
  `INSERT INTO shop.customers VALUES (1, 'Ada "the first"', 'it''s; a\\nline;\\n', ` +
    "x'00ff275c22'), (2, 'Bücher', NULL, NULL)",
  `CREATE TABLE shop.orders (
     id int PRIMARY KEY AUTO_INCREMENT, customer int NOT NULL, amount decimal(10,2) NOT NULL,
     tax decimal(10,2) AS (ROUND(amount * 0.2, 2)) STORED, placed datetime NOT NULL,
     CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES customers (id)
   ) ENGINE=InnoDB`,
  'INSERT INTO shop.orders (customer, amount, placed) VALUES (1, 9.99, ' +
    "'2026-01-01 00:00:00'), (1, 20, '2026-01-02 00:00:00'), (2, 0.5, '2026-01-03 00:00:00')",
  'CREATE TABLE shop.empty (id int PRIMARY KEY) ENGINE=InnoDB',
  'CREATE TABLE shop.`odd.name` (`select` int PRIMARY KEY) ENGINE=InnoDB',
  'INSERT INTO shop.`odd.name` VALUES (1)',
  'CREATE SQL SECURITY INVOKER VIEW shop.totals AS SELECT customer, SUM(amount) AS total ' +
    'FROM shop.orders GROUP BY customer',
  'CREATE TRIGGER shop.orders_before BEFORE INSERT ON shop.orders FOR EACH ROW ' +
    'SET NEW.amount = ROUND(NEW.amount, 2)',
  'CREATE PROCEDURE shop.spend(IN who int) SELECT SUM(amount) FROM shop.orders ' +
    'WHERE customer = who',
  'CREATE FUNCTION shop.doubled(n int) RETURNS int DETERMINISTIC RETURN n * 2',
  "CREATE EVENT shop.tidy ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DO DELETE " +
    'FROM shop.orders WHERE id < 0',
];

/** Tables without transactions. */
export const ARCHIVE: readonly string[] = [
  'CREATE DATABASE archive',
  'CREATE TABLE archive.log (id int PRIMARY KEY, line text) ENGINE=MyISAM',
  "INSERT INTO archive.log VALUES (1, 'one'), (2, 'two')",
  'CREATE TABLE archive.session (id int PRIMARY KEY) ENGINE=MEMORY',
  'INSERT INTO archive.session VALUES (7)',
];

/** Names that a file cannot have or that look like an option. Also a database without tables. */
export const ODD_NAMES: readonly string[] = [
  'CREATE DATABASE `odd name`',
  'CREATE TABLE `odd name`.`semi;colon` (id int PRIMARY KEY) ENGINE=InnoDB',
  'INSERT INTO `odd name`.`semi;colon` VALUES (1)',
  'CREATE TABLE `odd name`.`a/b` (id int PRIMARY KEY) ENGINE=InnoDB',
  'INSERT INTO `odd name`.`a/b` VALUES (1), (2)',
  'CREATE TABLE `odd name`.`-rf` (id int PRIMARY KEY) ENGINE=InnoDB',
  'CREATE DATABASE nothing',
];

/** A database whose files mydumper renames. */
export const WITH_DOT: readonly string[] = [
  'CREATE DATABASE `has.dot`',
  'CREATE TABLE `has.dot`.`mydumper_0` (id int PRIMARY KEY) ENGINE=InnoDB',
  'INSERT INTO `has.dot`.`mydumper_0` VALUES (1)',
];

const DIGITS =
  'SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 ' +
  'UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9';

/** Tables so large that a recorder can stop a run between two of them and in the middle of one. */
export const BULK: readonly string[] = [
  'CREATE DATABASE bulk',
  'CREATE TABLE bulk.digits (d int PRIMARY KEY) ENGINE=InnoDB',
  `INSERT INTO bulk.digits ${DIGITS}`,
  ...[1, 2, 3, 4, 5, 6].flatMap((number) => [
    `CREATE TABLE bulk.part_${number} (id int PRIMARY KEY, line varchar(1000)) ENGINE=InnoDB`,
    `INSERT INTO bulk.part_${number}
       SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d, REPEAT('0123456789', 90)
       FROM bulk.digits a, bulk.digits b, bulk.digits c, bulk.digits e WHERE e.d < 6`,
    `ANALYZE TABLE bulk.part_${number}`,
  ]),
];

/**
 * More rows than the network's buffers hold: the server still sends them after mydumper has begun
 * to read.
 */
export const WIDE: readonly string[] = [
  'CREATE TABLE bulk.wide (id int PRIMARY KEY, line mediumtext) ENGINE=InnoDB',
  `INSERT INTO bulk.wide SELECT a.d + 10 * b.d + 100 * c.d, REPEAT('0123456789', 10000)
     FROM bulk.digits a, bulk.digits b, bulk.digits c WHERE c.d < 5`,
  'ANALYZE TABLE bulk.wide',
];
