import type { EngineNotice } from '../../notice.ts'
import type { MigrationProgress } from './migrate.ts'

/** How far a conversion is, for the log. */
export function migrationNotice({ from, to, done, all }: MigrationProgress): EngineNotice {
  const finished = done === all
  return {
    level: 'info',
    kind: finished ? 'migrated' : 'migrating',
    message: finished
      ? `converted ${all} documents from format ${from} to format ${to}`
      : `converting documents from format ${from} to format ${to}: ${done} of ${all}`,
    facts: { from, to, done, all },
  }
}
