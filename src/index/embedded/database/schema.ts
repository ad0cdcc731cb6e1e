import { randomUUID } from 'node:crypto'
import { ServiceError } from '../../../errors.ts'
import { type Analysis, type CollectionSettings, FIRST_SETTINGS } from '../../collection-settings.ts'
import type { CollectionIdentity } from '../../index-engine.ts'
import { wordsDdl } from '../lexical/words-table.ts'
import type { Connection } from './connection.ts'
import { type MigrationProgress, migrate } from './migrations/migrate.ts'

/** "LLSV", in SQLite's own place for naming the program a file belongs to. */
const APPLICATION_ID = 0x4c4c5356
/** Raised with every change of the tables; a migration brings older files up to it. */
export const FORMAT_VERSION = 3
/** The first format whose rows have checksums. */
export const CHECKSUMS_SINCE = 2

/**
 * - A passage's `label` names its vector in the HNSW graph: never used twice (AUTOINCREMENT), a replaced document's
 *   passages get new ones. The labels of one document follow each other, and the first of them names the document;
 * - `metadata_values` has one row for every place a filter can reach; numbers are numbers, strings text, and blobs
 *   stand for false, true, null and containers, so that one ordered index answers every condition; the other index
 *   tests single documents;
 * - `checksum` is over the row's other columns (checksum.ts);
 * - `words` finds documents by their words (lexical/words-table.ts).
 */
const DDL = (dimensions: number) => `
  CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE documents (
    document INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    passages INTEGER NOT NULL,
    checksum BLOB NOT NULL
  );
  CREATE TABLE passages (
    label INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    vector BLOB NOT NULL CHECK (length(vector) = ${dimensions * 4})
  );
  CREATE TABLE metadata_values (
    path TEXT NOT NULL,
    value NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY (path, value, document)
  ) WITHOUT ROWID;
  CREATE INDEX metadata_values_by_document ON metadata_values (document, path);
`

/** The fact that holds a collection's settings, as JSON. */
export const SETTINGS = 'settings'

export interface SchemaOptions {
  identity: CollectionIdentity
  /** Of a collection that is created now. */
  settings: CollectionSettings
  onMigration: (progress: MigrationProgress) => void
}

/**
 * Creates the tables in an empty file; or checks that those there are ours and of this model, and brings an older
 * format up to date.
 *
 * @returns whether they were created now
 * @throws ServiceError STORE_UNUSABLE; the file is then as it was
 */
export function openSchema(
  db: Connection,
  folder: string,
  { identity, settings, onMigration }: SchemaOptions,
): boolean {
  const empty = db.pragma('schema_version', { simple: true }) === 0
  if (empty) {
    db.transaction(() => {
      createTables(db, identity.dimensions, settings.analysis)
      writeFact(db, 'store_id', randomUUID())
      writeFact(db, 'dimensions', String(identity.dimensions))
      writeFact(db, 'fingerprint', identity.fingerprint)
      writeFact(db, SETTINGS, JSON.stringify(settings))
    })()
    return true
  }
  const unusable = (problem: string, details = {}) =>
    new ServiceError('STORE_UNUSABLE', `${folder} ${problem}`, details)
  if (!isOurs(db)) {
    throw unusable('holds a database of another program. Use another DATA_DIR.')
  }
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version < 1 || version > FORMAT_VERSION) {
    throw unusable(
      `is in format ${version}; this program reads formats 1 to ${FORMAT_VERSION}. Use the program that wrote it, or another DATA_DIR.`,
    )
  }
  const stored = {
    dimensions: Number(readFact(db, 'dimensions')),
    fingerprint: readFact(db, 'fingerprint') ?? '',
  }
  if (stored.fingerprint !== identity.fingerprint || stored.dimensions !== identity.dimensions) {
    throw unusable(
      `holds vectors of another model: fingerprint ${stored.fingerprint}, ${stored.dimensions} dimensions; the model ` +
        `in use has fingerprint ${identity.fingerprint}, ${identity.dimensions} dimensions. Use another DATA_DIR for ` +
        'this model, or ingest the documents again.',
      {
        storedFingerprint: stored.fingerprint,
        storedDimensions: stored.dimensions,
        modelFingerprint: identity.fingerprint,
        modelDimensions: identity.dimensions,
      },
    )
  }
  migrate(db, { from: version, to: FORMAT_VERSION }, onMigration)
  return false
}

/** All tables, empty, in an empty file. */
export function createTables(db: Connection, dimensions: number, analysis: Analysis): void {
  db.exec(DDL(dimensions))
  db.exec(wordsDdl(analysis))
  db.pragma(`application_id = ${APPLICATION_ID}`)
  db.pragma(`user_version = ${FORMAT_VERSION}`)
}

/** Whether a program of this name made the database. */
export function isOurs(db: Connection): boolean {
  return db.pragma('application_id', { simple: true }) === APPLICATION_ID
}

export function isCurrent(db: Connection): boolean {
  return db.pragma('user_version', { simple: true }) === FORMAT_VERSION
}

export function readFact(db: Connection, key: string): string | undefined {
  return db.prepare('SELECT value FROM store WHERE key = ?').pluck().get(key) as string | undefined
}

export function writeFact(db: Connection, key: string, value: string): void {
  db.prepare('INSERT OR REPLACE INTO store (key, value) VALUES (?, ?)').run(key, value)
}

/** The collection's own. @throws ServiceError STORE_UNUSABLE where they are damaged */
export function readSettings(db: Connection, folder: string): CollectionSettings {
  try {
    return settingsOf(readFact(db, SETTINGS))
  } catch {
    throw new ServiceError(
      'STORE_UNUSABLE',
      `The settings of the collection in ${folder} are damaged. Restore it from a backup.`,
    )
  }
}

/** What the fact says; a collection from before there was one has the settings of then. @throws SyntaxError */
export function settingsOf(json = '{}'): CollectionSettings {
  return { ...FIRST_SETTINGS, ...(JSON.parse(json) as Partial<CollectionSettings>) }
}
