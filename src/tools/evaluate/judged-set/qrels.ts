import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { textLines, unreadable } from '../../text-lines.ts'

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

interface Judgements {
  judgements: QueryJudgements
  /** Pairs judged more than once, and not the same each time. */
  rejudged: number
}

/** Beyond what any judge gives, and far below where the sum of gains would be rounded. */
const GRADE_MAX = 1_000_000

/**
 * Reads `query-id<TAB>corpus-id<TAB>score` (BEIR; a heading is allowed) or trec's four columns
 * `query-id 0 corpus-id score`, with tabs or blanks between them. Ids are taken exactly as they are, grades are whole
 * numbers as trec_eval's are; of equal pairs the last counts, as in BEIR.
 * @throws ToolError INPUT_UNUSABLE with file and line
 */
export async function readJudgements(file: string): Promise<Judgements> {
  const judgements: QueryJudgements = new Map()
  const rejudged = new Set<string>()
  let columns: number | undefined
  for await (const { number, text } of textLines(file)) {
    const place = `${file}:${number}`
    const fields = fieldsOf(text)
    columns ??= fields.length
    const heading = judgements.size === 0 && number === 1 && isHeading(fields)
    if (fields.length !== columns)
      throw unreadable(place, `${fields.length} columns where line 1 has ${columns}`)
    if (heading) continue
    const [query, document, score] = fields.length === 4 ? [fields[0], fields[2], fields[3]] : fields
    const grade = gradeOf(score)
    if (!query || !document || grade === undefined || fields.length > 4) {
      const shape = `"query-id<TAB>corpus-id<TAB>score" with a whole number of at most ${GRADE_MAX} as score`
      throw unreadable(place, `not ${shape}`)
    }
    const ofQuery = judgements.get(query) ?? new Map<string, number>()
    if ((ofQuery.get(document) ?? grade) !== grade) rejudged.add(JSON.stringify([query, document]))
    judgements.set(query, ofQuery.set(document, grade))
  }
  if (judgements.size === 0) throw unreadable(file, 'it holds no judgement')
  return { judgements, rejudged: rejudged.size }
}

/** Without the empty columns that tabs at the end of a line make. */
function fieldsOf(text: string): string[] {
  const fields = text.replace(/\t+$/, '').split('\t')
  const words = text.trim().split(/ +/)
  return fields.length === 1 && words.length === 4 ? words : fields
}

/** A heading names its columns; a line of data that is faulty must not pass for one. */
function isHeading(fields: readonly string[]): boolean {
  const [first = '', last = ''] = [fields[0], fields.at(-1)].map((field) => field?.trim() ?? '')
  return (
    fields.length >= 3 &&
    gradeOf(last) === undefined &&
    (/^(query|topic|q)?[-_ ]?id$|^(query|topic)$/i.test(first) ||
      /^(score|rel|relevanc[ey]|label|grade|judge?ment)$/i.test(last))
  )
}

function gradeOf(field: string | undefined): number | undefined {
  const score = field?.trim() ?? ''
  const grade = /^[+-]?\d+(\.0+)?$/.test(score) ? Number(score) : Number.NaN
  return Math.abs(grade) <= GRADE_MAX ? grade : undefined
}
