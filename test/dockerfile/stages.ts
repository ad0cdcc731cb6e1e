import { DockerfileParser, type Healthcheck, type JSONInstruction } from 'dockerfile-ast'

/** One instruction of a stage. */
export interface Step {
  keyword: string
  /** 1-based line in the Dockerfile */
  line: number
  flags: Map<string, string>
  /** Words of the instruction, variables replaced where they are known. */
  words: string[]
  /** Everything after the keyword and flags, as written. */
  text: string
  /** Strings of the JSON form (`["node", "x.js"]`); undefined for the shell form. */
  json: string[] | undefined
}

export interface Stage {
  name: string
  /** Image or earlier stage, variables replaced. */
  base: string
  line: number
  steps: Step[]
}

/** The stages of a Dockerfile in order. Instructions before the first FROM are not part of any. */
export function parseStages(dockerfile: string): Stage[] {
  const stages: Stage[] = []
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    const words = instruction.getExpandedArguments().map((argument) => argument.getValue())
    const line = instruction.getRange().start.line + 1
    const keyword = instruction.getKeyword()
    if (keyword === 'FROM') {
      const name = words[1]?.toUpperCase() === 'AS' ? (words[2] ?? '') : ''
      stages.push({ name, base: words[0] ?? '', line, steps: [] })
      continue
    }
    const flags = new Map(
      ((instruction as Partial<Healthcheck>).getFlags?.() ?? []).map((flag) => [
        flag.getName(),
        flag.getValue() ?? '',
      ]),
    )
    const strings = (instruction as Partial<JSONInstruction>).getJSONStrings?.() ?? []
    const json = strings.length > 0 ? strings.map((string) => string.getJSONValue()) : undefined
    const text = instruction.getArgumentsContent() ?? ''
    stages.at(-1)?.steps.push({ keyword, line, flags, words, text, json })
  }
  return stages
}

/** The step that counts where an instruction is repeated: the last one. */
export function lastStep(stage: Stage, keyword: string): Step | undefined {
  return stage.steps.findLast((step) => step.keyword === keyword)
}

/** The command of HEALTHCHECK in its JSON form: `CMD ["node", "-e", "..."]`. */
export function healthcheckCommand(stage: Stage): string[] | undefined {
  const step = lastStep(stage, 'HEALTHCHECK')
  const match = step && /CMD\s+(\[.*\])\s*$/s.exec(step.text)
  if (!match) return undefined
  try {
    return JSON.parse(match[1]!)
  } catch {
    return undefined
  }
}

/** `NAME=value` pairs of every ENV of the stage. */
export function environment(stage: Stage): Map<string, string> {
  const words = stage.steps.filter((step) => step.keyword === 'ENV').flatMap((step) => step.words)
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=')
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
