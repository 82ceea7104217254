// Decides what no route ever sees: text that no database can keep, bodies nested deeper than any of ours, and fields
// whose names the language itself would stumble over.
import { invalid, Refusal } from './errors.ts'

/** Ours need four; the validator, which goes down with a body, has a stack that ends. */
const DEPTH_MAX = 16
/** An object with one of these of its own cannot be made a text, nor safely be copied; no field of ours is called so. */
const NAMES_REFUSED = new Set(['toString', 'valueOf', 'toJSON', '__proto__', 'constructor', 'prototype'])

/** Looks at a body and a query before they are validated; throws `request_invalid` for either. */
export function requirePlain(body: unknown, query: unknown): void {
  check(query, 'query', 1)
  if (typeof body === 'object' || typeof body === 'string') check(body, '', 1)
}

function check(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') return checkText(value, path)
  if (typeof value !== 'object' || value === null) return
  if (depth > DEPTH_MAX) throw new Refusal('request_invalid', { message: 'The body is nested too deeply.' })
  for (const name in value) {
    checkText(name, path)
    if (NAMES_REFUSED.has(name)) throw invalid(`${path}/${name}`, 'is the name of no field')
    const part = (value as Record<string, unknown>)[name]
    // Most are, and need no path of their own.
    if (typeof part === 'string' && isPlain(part)) continue
    check(part, `${path}/${name}`, depth + 1)
  }
}

const isPlain = (text: string) => !text.includes('\0') && text.isWellFormed()

/** Postgres keeps neither the null character nor half of a surrogate pair. */
function checkText(text: string, path: string): void {
  if (!isPlain(text)) throw invalid(path || '/', 'has a character that is none')
}
