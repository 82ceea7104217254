// Decides which words of a refusal belong to which field of a form.
import type { Problem } from './net/api.ts'

const plainPath = (path: string) => path.replace(/^[/.]/, '').replaceAll('.', '/')

/** The sentence for the field at `path` ("sections/0/name"), if the server found something wrong with it. */
export function fieldProblem(problem: Problem | null, path: string): string | undefined {
  const found = problem?.fields.find((field) => plainPath(field.path) === path)
  return found && sentence(found.message)
}

/** What is wrong beyond the fields that show their own words. */
export function otherProblems(problem: Problem, shown: readonly string[]): string[] {
  return problem.fields
    .filter(({ path }) => !shown.includes(plainPath(path)))
    .map(({ path, message }) => `${plainPath(path)}: ${message}`)
}

/** The server names what is wrong in half a sentence. */
const sentence = (text: string) =>
  text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.')
