import { afterAll, beforeAll, expect, test } from 'vitest'
import { COLOURS, openService, type Service } from '../http/service.ts'

let service: Service
let page = ''
beforeAll(async () => {
  service = await openService()
  // So that every family has samples, those of faults too.
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
  await service.http().post('/search').send({ query: 'blue' }).expect(200)
  await service.http().get('/nowhere').expect(404)
  page = (await service.http().get('/metrics').expect(200)).text
})
afterAll(() => service.close())

interface Family {
  name: string
  type: string
  help: string
  samples: string[]
}

function families(text: string): Family[] {
  const blocks = text.split(/^(?=# HELP )/m).filter((block) => block.trim() !== '')
  return blocks.map((block) => {
    const [, name = '', help = ''] = /^# HELP (\S+) ?(.*)$/m.exec(block) ?? []
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(block)?.[1] ?? ''
    return { name, help, type, samples: block.split('\n').filter((line) => /^[a-z]/i.test(line)) }
  })
}

/** Units that are no base units, and abbreviations of units, as whole words of a name. */
const UNITS =
  /_((milli|micro|nano|kilo|kibi|mega|mebi|giga|gibi)(seconds|bytes)|minutes|hours|days|bits|m?s|us|ns|sec|[kmgtp]?b|m|h|d)(_|$)/

/** The rules of Prometheus's own linter; .ci/check-metrics runs that one. */
function faults({ name, type, help, samples }: Family): string[] {
  const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')))
  const labels = series.flatMap((line) => [...line.matchAll(/[{,](\w+)="/g)].map((match) => match[1]!))
  const rules: [boolean, string][] = [
    [help !== '', 'has no help'],
    [/^(counter|gauge|histogram)$/.test(type), `has the type ${type}`],
    [(type === 'counter') === name.endsWith('_total'), `is a ${type}`],
    [type === 'histogram' || !/_(bucket|count|sum)$/.test(name), 'ends like a part of a histogram'],
    [type === 'histogram' || !labels.includes('le'), 'has the label of histograms'],
    [!labels.includes('quantile'), 'has the label of summaries'],
    [!new RegExp(`_${type}(_|$)`).test(name), 'names its type'],
    [!UNITS.test(name), 'is not in a base unit'],
    [[name, ...labels].every((word) => /^[a-z][a-z0-9_]*$/.test(word)), 'is not in snake_case'],
    [new Set(series).size === series.length, 'has a series twice'],
    [samples.every((line) => Number.isFinite(Number(line.slice(line.lastIndexOf(' '))))), 'has no number'],
  ]
  return rules.filter(([kept]) => !kept).map(([, fault]) => `${name} ${fault}`)
}

test('every metric keeps the conventions of Prometheus', () => {
  const found = families(page)
  expect(found.length).toBeGreaterThan(30)
  expect(found.filter(({ name }) => name.startsWith('llara_')).length).toBeGreaterThan(12)
  expect(found.flatMap(faults)).toEqual([])
})

test('the rules see what breaks them', () => {
  const bad = '# HELP queue_ms_total Time.\n# TYPE queue_ms_total gauge\nqueue_ms_total{userId="a"} 1\n'
  expect(families(bad).flatMap(faults)).toEqual([
    'queue_ms_total is a gauge',
    'queue_ms_total is not in a base unit',
    'queue_ms_total is not in snake_case',
  ])
})

test("the encoder's counts only grow, and are asked for anew each time", async () => {
  const tokens = (text: string) => Number(/^llara_encoder_tokens_total (\d+)$/m.exec(text)?.[1])
  await service.http().post('/search').send({ query: 'green' }).expect(200)
  const { text } = await service.http().get('/metrics').expect(200)
  expect(tokens(page)).toBeGreaterThan(0)
  expect(tokens(text)).toBeGreaterThan(tokens(page))
})
