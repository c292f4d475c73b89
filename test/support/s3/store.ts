import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compareKeys } from './keys.ts';
import { hashedPath, readablePath } from './paths.ts';
import type { Entry, OpenUpload, Part, StoredObject, Upload } from './records.ts';
import { createHistory } from './versions.ts';

export type Bucket = ReturnType<typeof openBucket>;

/**
 * One bucket on disk: objects as files, and a journal of JSON lines (`journal.jsonl`) from which
 * the index in memory is rebuilt. Everything that changes the index is synchronous, so requests see
 * a change whole or not at all.
 */
export function openBucket(directory: string) {
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, OpenUpload>();
  const watchers = new Map<string, Set<{ changed: boolean }>>();
  const history = createHistory();
  let versioned = false;
  let sortedKeys: readonly string[] | undefined;
  let temporaries = 0;

  rmSync(join(directory, 'incoming'), { recursive: true, force: true });
  for (const name of ['objects', 'hashed', 'versions', 'incoming', 'uploads'])
    mkdirSync(join(directory, name), { recursive: true });
  const journalPath = join(directory, 'journal.jsonl');
  for (const entry of readJournal(journalPath)) apply(entry);
  compact();
  const journal = openSync(journalPath, 'a');

  function apply(entry: Entry) {
    if (entry.op === 'put') {
      if (!objects.has(entry.object.key)) sortedKeys = undefined;
      objects.set(entry.object.key, entry.object);
      history.put(entry.object, versioned);
    } else if (entry.op === 'delete') {
      if (objects.delete(entry.key)) sortedKeys = undefined;
      history.remove(entry.key, entry.versionId, entry.lastModified ?? 0);
    } else if (entry.op === 'versioning') {
      versioned = true;
    } else if (entry.op === 'upload') {
      const fresh = {
        parts: new Map(),
        slots: new Map(),
        slotSize: undefined,
        completing: undefined,
      };
      uploads.set(entry.upload.id, { ...entry.upload, ...fresh });
    } else if (entry.op === 'part') {
      const upload = uploads.get(entry.uploadId);
      upload?.parts.set(entry.part.number, entry.part);
      if (upload !== undefined) upload.slotSize = entry.slotSize;
      if (entry.part.file === assemblyFile) upload?.slots.set(entry.part.number, 'stored');
    } else {
      uploads.delete(entry.uploadId);
    }
  }

  function record(entry: Entry) {
    writeSync(journal, `${JSON.stringify(entry)}\n`);
    apply(entry);
  }

  /** Rewrites the journal without what has since been replaced or removed. */
  function compact() {
    const file = openSync(`${journalPath}.new`, 'w');
    const line = (entry: Entry) => writeSync(file, `${JSON.stringify(entry)}\n`);
    if (versioned) line({ op: 'versioning' });
    for (const { key, versionId, lastModified, object } of history.oldestFirst())
      line(
        object === undefined
          ? { op: 'delete', key, versionId, lastModified }
          : { op: 'put', object },
      );
    for (const {
      parts,
      slots: _slots,
      slotSize,
      completing: _completing,
      ...upload
    } of uploads.values()) {
      line({ op: 'upload', upload });
      for (const part of parts.values()) line({ op: 'part', uploadId: upload.id, part, slotSize });
    }
    closeSync(file);
    renameSync(`${journalPath}.new`, journalPath);
  }

  function touch(key: string) {
    for (const watcher of watchers.get(key) ?? []) watcher.changed = true;
  }

  function pathOf(relative: string): string {
    return join(directory, relative);
  }

  function place(key: string, from: string, versionId: string | undefined): string {
    if (versionId !== undefined) {
      renameSync(from, pathOf(`versions/${versionId}`));
      return `versions/${versionId}`;
    }
    const readable = readablePath(key);
    if (readable !== undefined && moved(from, pathOf(readable))) return readable;
    renameSync(from, pathOf(hashedPath(key)));
    return hashedPath(key);
  }

  return {
    uploads: uploads as ReadonlyMap<string, OpenUpload>,
    /** Absolute path of a file named below the bucket's directory. */
    pathOf,
    get: (key: string) => objects.get(key),
    /** All keys in the order of their UTF-8 bytes. */
    keys(): readonly string[] {
      sortedKeys ??= [...objects.keys()].sort(compareKeys);
      return sortedKeys;
    },
    /** A path for a body on its way in. */
    temporaryPath: () => pathOf(`incoming/${temporaries++}`),
    /** Makes the file at `from` the object's content, replacing what was there. */
    put(object: Omit<StoredObject, 'path'>, from: string): StoredObject {
      const previous = objects.get(object.key);
      const versionId = versioned ? newVersionId() : undefined;
      const stored = {
        ...object,
        path: place(object.key, from, versionId),
        ...(versionId === undefined ? {} : { versionId }),
      };
      record({ op: 'put', object: stored });
      if (!versioned && previous !== undefined && previous.path !== stored.path)
        rmSync(pathOf(previous.path), { force: true });
      touch(object.key);
      return stored;
    },
    /**
     * Removes the object; in a versioned bucket that leaves a delete marker, whose version id is
     * the answer.
     */
    remove(key: string): string | undefined {
      if (versioned) {
        const versionId = newVersionId();
        record({ op: 'delete', key, versionId, lastModified: Date.now() });
        touch(key);
        return versionId;
      }
      const object = objects.get(key);
      if (object === undefined) return undefined;
      record({ op: 'delete', key });
      rmSync(pathOf(object.path), { force: true });
      touch(key);
      return undefined;
    },
    /** Keeps earlier versions from now on. */
    keepVersions(): void {
      record({ op: 'versioning' });
    },
    /** Every version and delete marker, by key and then newest first. */
    versions: () => history.newestFirst(),
    version: (key: string, versionId: string) => history.get(key, versionId),
    /** Notes whether the key is written or deleted until `stop` is called. */
    watch(key: string) {
      const watcher = { changed: false };
      const all = watchers.get(key) ?? new Set();
      watchers.set(key, all.add(watcher));
      return {
        changed: () => watcher.changed,
        stop() {
          all.delete(watcher);
          if (all.size === 0) watchers.delete(key);
        },
      };
    },
    createUpload(upload: Upload): void {
      mkdirSync(pathOf(`uploads/${upload.id}`), { recursive: true });
      record({ op: 'upload', upload });
    },
    putPart(upload: OpenUpload, part: Part): void {
      record({ op: 'part', uploadId: upload.id, part, slotSize: upload.slotSize });
    },
    /** Forgets the upload and removes what is left of its parts. */
    async endUpload(uploadId: string): Promise<void> {
      record({ op: 'end', uploadId });
      await rm(pathOf(`uploads/${uploadId}`), { recursive: true, force: true });
    },
    close: () => closeSync(journal),
  };
}

function newVersionId(): string {
  return randomBytes(16).toString('hex');
}

/** The file in an upload's directory that parts of the common size are written straight into. */
export const assemblyFile = 'assembly';

function readJournal(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  // What follows the last line break is a line the process did not live to finish.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}

function moved(from: string, to: string): boolean {
  try {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    return true;
  } catch (error) {
    // A key that is another key's folder.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'ENAMETOOLONG'].includes(code)) return false;
    throw error;
  }
}
