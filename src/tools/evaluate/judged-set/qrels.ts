import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { textLines, unreadable } from './text-lines.ts'

/** query id -> document id -> grade */
export type QueryJudgements = Map<string, Map<string, number>>

/**
 * Where the judgements lie: `qrels/<split>.tsv`; without a split `qrels.tsv`, else `qrels/test.tsv`.
 * @throws ToolError INPUT_UNUSABLE, naming the splits there are
 */
export function qrelsFile(folder: string, split: string | undefined): string {
  const names =
    split === undefined ? ['qrels.tsv', join('qrels', 'test.tsv')] : [join('qrels', `${split}.tsv`)]
  const found = names.map((name) => join(folder, name)).find((file) => existsSync(file))
  if (found) return found
  const splits = existsSync(join(folder, 'qrels'))
    ? readdirSync(join(folder, 'qrels')).flatMap((name) => /^(.+)\.tsv$/.exec(name)?.[1] ?? [])
    : []
  const instead = splits.length > 0 ? `; --split can be ${splits.sort().join(', ')}` : ''
  throw unreadable(folder, `it holds no ${names.join(' and no ')}${instead}`)
}

/**
 * Reads `query-id<TAB>corpus-id<TAB>score` (BEIR; a heading line is allowed) or trec's four columns
 * `query-id<TAB>0<TAB>corpus-id<TAB>score`. Grades are whole numbers as trec_eval's are; of equal pairs the last
 * counts.
 * @throws ToolError INPUT_UNUSABLE with file and line
 */
export async function readJudgements(file: string): Promise<QueryJudgements> {
  const judgements: QueryJudgements = new Map()
  for await (const { number, text } of textLines(file)) {
    const fields = text.split('\t').map((field) => field.trim())
    const [query, document, score] = fields.length === 4 ? [fields[0], fields[2], fields[3]] : fields
    const grade = score ? Number(score) : Number.NaN
    if (!query || !document || !Number.isInteger(grade)) {
      const heading = number === 1 && fields.length >= 3 && Number.isNaN(grade)
      if (heading) continue
      throw unreadable(
        `${file}:${number}`,
        'not "query-id<TAB>corpus-id<TAB>score" with a whole number as score',
      )
    }
    const ofQuery = judgements.get(query) ?? new Map<string, number>()
    judgements.set(query, ofQuery.set(document, grade))
  }
  if (judgements.size === 0) throw unreadable(file, 'it holds no judgement')
  return judgements
}
