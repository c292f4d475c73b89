import { expect, test } from 'vitest';
import { faultAmong, WarningsHidden } from '../../app/restore/warnings.ts';

const about = {
  kind: 'rows' as const,
  slices: [Buffer.from('INSERT INTO `t` VALUES (1,""),(2,"b"),(3,_binary "")')],
  bytes: 0,
  rows: 3,
  end: 0,
  tolerant: false,
  columns: ['id', 'e'],
};
const warning = (Code: number, Message: string) => ({ Level: 'Warning', Code, Message });

test.each([
  ['of MySQL', "Data truncated for column 'e' at row 1"],
  ['of MariaDB', 'Data truncated for column `shop`.`t`.`e` at row 1'],
  ['with an introducer', "Data truncated for column 'e' at row 3"],
])("the value '' of an ENUM column is no fault, in the words %s", (_title, message) => {
  expect(faultAmong([warning(1265, message)], 1, about)).toBeUndefined();
});

test.each([
  [1265, "Data truncated for column 'e' at row 2"],
  [1265, "Data truncated for column 'id' at row 1"],
  [1265, 'Data truncated'],
  [1264, "Out of range value for column 'id' at row 1"],
  [1366, "Incorrect string value for column 'e' at row 1"],
  [1062, "Duplicate entry '1' for key 'PRIMARY'"],
])('warning %i "%s" is a fault', (code, message) => {
  expect(faultAmong([warning(code, message)], 1, about)).toBe(`${message} (${code})`);
});

test('a skipped row is a fault, unless the dump asks for INSERT IGNORE', () => {
  const duplicate = [warning(1062, "Duplicate entry '1' for key 'PRIMARY'")];
  expect(faultAmong(duplicate, 1, { ...about, tolerant: true })).toBeUndefined();
});

test('a server that hides some of its warnings is not believed', () => {
  const shown = [warning(1287, "'x' is deprecated")];
  expect(faultAmong(shown, 1, about)).toBeUndefined();
  expect(() => faultAmong(shown, 2, about)).toThrow(WarningsHidden);
});
