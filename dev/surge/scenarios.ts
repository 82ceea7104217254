// Owns what is known of the k6 scenarios without running them: their names, and what each says of itself.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dir, '../../k6/scenarios')
/** Every scenario opens with these, a line each. */
export const OPENING = ['Question', 'Shape', 'Thresholds'] as const

export interface Scenario {
  name: string
  file: string
  /** By the words of OPENING; '' where it says nothing. */
  says: Record<(typeof OPENING)[number], string>
}

/** By name. */
export function listScenarios(folder = FOLDER): Scenario[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .toSorted()
    .map((file) => {
      const path = join(folder, file)
      const lines = readFileSync(path, 'utf8').split('\n')
      const line = (index: number) => {
        const start = `// ${OPENING[index]}:`
        return lines[index]?.startsWith(start) ? lines[index].slice(start.length).trim() : ''
      }
      return {
        name: file.slice(0, -'.ts'.length),
        file: path,
        says: { Question: line(0), Shape: line(1), Thresholds: line(2) },
      }
    })
}
