// Decides what no route ever sees: text that no database can keep, and bodies nested deeper than any of ours.
import { Elysia } from 'elysia'
import { invalid, Refusal } from './errors.ts'

/** Ours need four; the validator, which goes down with a body, has a stack that ends. */
const DEPTH_MAX = 16

/** Looks at each body and query before it is validated; `request_invalid` for either. */
export const plainInput = () =>
  new Elysia({ name: 'plain-input' }).onTransform({ as: 'global' }, ({ body, query }) => {
    check(query, 'query', 1)
    if (typeof body === 'object' || typeof body === 'string') check(body, '', 1)
  })

function check(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') return checkText(value, path)
  if (typeof value !== 'object' || value === null) return
  if (depth > DEPTH_MAX) throw new Refusal('request_invalid', { message: 'The body is nested too deeply.' })
  for (const [name, part] of Object.entries(value)) {
    checkText(name, path)
    check(part, `${path}/${name}`, depth + 1)
  }
}

/** Postgres keeps neither the null character nor half of a surrogate pair. */
function checkText(text: string, path: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw invalid(path || '/', 'has a character that is none')
}
