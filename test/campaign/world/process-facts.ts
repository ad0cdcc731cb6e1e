import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessFacts {
  residentMib: number
  files: number
  threads: number
}

/** What a process holds (Linux). */
export function processFacts(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const figure = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  return {
    residentMib: Math.round(figure('VmRSS') / 1024),
    files: readdirSync(`/proc/${pid}/fd`).length,
    threads: figure('Threads'),
  }
}
