import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultConfig } from '../src/config.ts'
import { openOnnxEncoder } from '../src/encoder/onnx/onnx-encoder.ts'
import { ServiceError } from '../src/errors.ts'
import { readBeirSet } from '../src/evaluation/beir.ts'
import { type Evaluation, evaluate } from '../src/evaluation/evaluate.ts'
import { METRICS, type MetricName } from '../src/evaluation/metrics.ts'
import { recordInCard } from '../src/evaluation/record.ts'
import { modelFolder } from '../src/model-folder.ts'
import { openEmbeddedStore } from '../src/vector-store/embedded/embedded-store.ts'

const HELP = `Usage: npm run evaluate -- <BEIR folder> [<BEIR folder> ...] [options]

Embeds a judged set (corpus.jsonl, queries.jsonl, qrels.tsv) with the service's own retrieval code into a throw-away
store, and searches it twice: every document scored (exact: the model alone), and through the graph (hnsw).

  --model NAME|PATH   model folder (default llara-mini)
  --device DEVICE     auto, cpu or cuda (default auto)
  --ef N              breadth of the graph walk (default: the store's)
  --queries N         only the first N judged queries (told in the output)
  --write-card        put the figures into the model's card as well
  --json              one JSON object per set on standard output, nothing else
`

type Report = Evaluation & { set: string; model: Record<string, string>; device: string; machine: string }

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: 'llara-mini' },
      device: { type: 'string', default: 'auto' },
      ef: { type: 'string' },
      queries: { type: 'string' },
      json: { type: 'boolean', default: false },
      'write-card': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || positionals.length === 0) {
    console.log(HELP)
    process.exitCode = values.help ? 0 : 2
    return
  }
  if (!['auto', 'cpu', 'cuda'].includes(values.device)) throw invalid('--device is auto, cpu or cuda')
  const ef = positiveInteger('--ef', values.ef)
  const queriesMax = positiveInteger('--queries', values.queries)
  if (values['write-card'] && queriesMax) throw invalid('--write-card takes whole sets, so not --queries')
  const folderOfModel = modelFolder(values.model)
  const encoder = await openOnnxEncoder({
    modelFolder: folderOfModel,
    device: values.device as 'auto' | 'cpu' | 'cuda',
  })
  try {
    for (const folder of positionals) {
      const set = await readBeirSet(resolve(folder))
      if (queriesMax) set.queries.splice(queriesMax)
      const asked = new Set(set.queries.map(({ id }) => id))
      for (const id of set.judgements.keys()) if (!asked.has(id)) set.judgements.delete(id)
      const dataDir = await mkdtemp(join(tmpdir(), 'llara-evaluate-'))
      const { dimensions, fingerprint, id, precision } = encoder.card
      // exactScoringMax 0: small sets, too, go through the graph.
      const store = await openEmbeddedStore({ dataDir, dimensions, fingerprint, exactScoringMax: 0 })
      try {
        const retrieval = { encoder, store, limits: defaultConfig() }
        const figures = await evaluate(retrieval, set, { ...(ef && { ef }), onProgress: progress })
        const name = basename(resolve(folder))
        if (values['write-card']) await recordInCard(folderOfModel, name, figures)
        const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} threads, Node ${process.version}`
        const model = { id, precision, fingerprint }
        const report = {
          set: basename(resolve(folder)),
          ...figures,
          model,
          device: encoder.device.provider,
          machine,
        }
        console.log(values.json ? JSON.stringify(report) : table(report))
      } finally {
        await store.close()
        await rm(dataDir, { recursive: true, force: true })
      }
    }
  } finally {
    await encoder.close()
  }
}

function progress(phase: string, done: number, total: number): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(`\r\x1b[K${phase} ${done}/${total}${done === total ? '\r\x1b[K' : ''}`)
}

function table(report: Report): string {
  const { set, documents, queries, judgements, model, device, seconds, machine } = report
  const lines = [
    `${set}: ${documents} documents (${report.truncatedDocuments} cut, ${report.skippedDocuments} empty), ` +
      `${queries} queries, ${judgements} judgements`,
    `${model['id']} ${model['precision']} on ${device}; ${machine}`,
    `documents ${seconds.documents.toFixed(1)} s, queries ${seconds.queries.toFixed(1)} s`,
    '',
    `${'figure'.padEnd(14)}${'exact'.padStart(8)}${'hnsw'.padStart(8)}`,
  ]
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const row = [report.exact[name], report.hnsw[name]].map((value) => value.toFixed(4).padStart(8))
    lines.push(name.padEnd(14) + row.join(''))
  }
  lines.push(`the graph finds ${(100 * report['hnsw_recall@10']).toFixed(2)} % of the exact ten nearest`, '')
  return lines.join('\n')
}

function positiveInteger(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(value)) throw invalid(`${option} is a positive whole number`)
  return Number(value)
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `${message}; see --help.`)
}

main().catch((error: Error) => {
  console.error(error instanceof ServiceError ? error.message : error)
  process.exitCode = 1
})
