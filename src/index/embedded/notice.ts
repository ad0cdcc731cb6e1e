import type { IndexNotice } from '../index-engine.ts'

/** A notice of one collection's engine; its host adds the collection's name. */
export interface EngineNotice extends Omit<IndexNotice, 'collection'> {
  kind:
    | 'migrating'
    | 'migrated'
    | 'document-damaged'
    | 'documents-damaged'
    | 'documents-lost'
    | 'database-damaged'
    | 'database-rebuilt'
    | 'database-not-rebuilt'
    | 'check-failed'
    | 'commits-missing'
    | 'commit-count-not-written'
    | 'words-damaged'
    | 'words-remade'
    | 'words-not-remade'
    | 'graph-loaded'
    | 'graph-rejected'
    | 'graph-building'
    | 'graph-built'
    | 'graph-not-built'
    | 'graph-saved'
    | 'graph-not-saved'
}
