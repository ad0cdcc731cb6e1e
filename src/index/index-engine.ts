import type { ServiceError } from '../errors.ts'
import type { Backups } from './backups.ts'
import type { CollectionSettings } from './collection-settings.ts'
import type { DocumentIndex } from './document-index.ts'
import type { Records } from './records.ts'
import type { VerificationReport, VerifyOptions } from './verification.ts'

/** The collection that the routes without a collection in their path serve. */
export const DEFAULT_COLLECTION = 'default'

/** What a collection's vectors are; an index made with another identity is refused. */
export interface CollectionIdentity {
  dimensions: number
  /** Identity of the vector space: model, tokenizer, prompts, pooling and precision. */
  fingerprint: string
}

/** What a collection is that is stored, open or not. */
export interface StoredCollection {
  identity: CollectionIdentity
  settings: CollectionSettings
}

/** Something the operator should know; never texts, never vectors. */
export interface IndexNotice {
  collection: string
  level: 'info' | 'warn' | 'error'
  /** Stable, for tests and dashboards. */
  kind: string
  message: string
  facts: Record<string, string | number>
}

/** What keeps documents: opens collections by name. One of them runs in a process. */
export interface IndexEngine {
  /** Absent where documents are backed up by means of the engine's own. */
  readonly backups?: Backups
  /** Small facts that are no documents. */
  readonly records: Records
  /**
   * Opens a collection, or creates it. The caller closes it, or the engine.
   *
   * @param settings of a collection that is created; one that exists keeps its own. Default: FIRST_SETTINGS
   * @throws ServiceError INVALID_INPUT (a name that cannot be one, or that is open already), STORE_UNUSABLE
   *   (damaged, in use, of another identity or of a newer format), UNAVAILABLE (closed)
   */
  open(
    collection: string,
    identity: CollectionIdentity,
    settings?: CollectionSettings,
  ): Promise<DocumentIndex>
  /** Names of all collections that are stored, open or not. */
  list(): Promise<string[]>
  /**
   * What a collection is, without opening it; undefined where there is none.
   * @throws ServiceError STORE_UNUSABLE where that cannot be read
   */
  describe(collection: string): Promise<StoredCollection | undefined>
  /**
   * Makes an empty collection and leaves it closed; durable when it resolves, and there whole or not at all whenever the
   * process ends.
   * @throws ServiceError INVALID_INPUT, CONFLICT (there is one), STORE_UNUSABLE
   */
  create(collection: string, identity: CollectionIdentity, settings: CollectionSettings): Promise<void>
  /**
   * Removes a closed collection with everything in it, also a damaged one: durable when it resolves, and gone whole or
   * not at all whenever the process ends. The default one stays.
   * @returns whether there was one
   * @throws ServiceError INVALID_INPUT (it is open, or the default one), STORE_UNUSABLE
   */
  drop(collection: string): Promise<boolean>
  /**
   * Holds everything stored against its checksums, while it is written to and searched, and changes nothing. Absent where
   * an engine has means of its own.
   * @throws ServiceError ABORTED, STORE_UNUSABLE (a database that cannot be opened at all)
   */
  verify?(options: VerifyOptions): Promise<VerificationReport>
  /** Calls `listener` once if the engine ends without `close`. */
  onDeath(listener: (error: ServiceError) => void): void
  /**
   * Calls `listener` when a collection can no longer store anything, because its files were removed, say, with the reason;
   * and without one when it can again. What it holds can still be read.
   */
  onTrouble(listener: (collection: string, trouble: ServiceError | undefined) => void): void
  /** Closes what is open, then the engine itself. Idempotent. */
  close(): Promise<void>
}
