// Owns what tests read out of the OpenAPI document: its operations, who may use them, requests that fit, answers that do not.

import { PERMISSIONS, type Permission } from '../../server/protocol/codes.ts'
import type { Answer, AppHarness } from './app-harness.ts'

export interface Schema {
  type?: string
  nullable?: boolean
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  pattern?: string
  format?: string
}
interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Schema
}
interface Documented {
  description: string
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>
}

export interface Operation {
  /** `POST /api/v1/event/{eventId}/seats` */
  name: string
  method: string
  path: string
  access: 'anyone' | 'user' | Permission
  parameters: Parameter[]
  body: Schema | null
  responses: Documented['responses']
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** Every operation of the document, as it is published. */
export async function readOperations(app: Pick<AppHarness, 'call'>): Promise<Operation[]> {
  const { body } = await app.call('GET', '/api/docs/json')
  const paths = Object.entries(body.paths as Record<string, Record<string, Documented>>)
  return paths.flatMap(([path, item]) =>
    METHODS.flatMap((method): Operation[] => {
      const documented = item[method]
      if (!documented) return []
      return [
        {
          name: `${method.toUpperCase()} ${path}`,
          method: method.toUpperCase(),
          path,
          access: accessIn(documented.description),
          parameters: documented.parameters ?? [],
          body: documented.requestBody?.content['application/json']?.schema ?? null,
          responses: documented.responses,
        },
      ]
    }),
  )
}

/** The last sentence of each description says it. */
function accessIn(description: string): Operation['access'] {
  if (description.endsWith('Anyone.')) return 'anyone'
  if (description.endsWith('Signed-in accounts.')) return 'user'
  const named = /Needs `([^`]+)`\.$/.exec(description)?.[1]
  const permission = PERMISSIONS.find((name) => name === named)
  if (!permission) throw new Error(`an operation does not say who may use it: ${description}`)
  return permission
}

/** Values by the name of a field or parameter, which the schema alone cannot know: ids of things that exist. */
export type Known = Record<string, unknown>

/** Texts that fit the patterns of the document. */
const PATTERNED: [pattern: string, text: string][] = [
  ['^[A-Z]{3}$', 'EUR'],
  ['^[0-9a-f]{64}$', '0'.repeat(64)],
  ['^[0-9a-f]*$', '00'],
  ['^([0-9a-f]{2})+$', '00'],
  ['^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', '0199d0c0-0000-7000-8000-000000000000'],
  ['^[0-9]{1,6}$', '1'],
  ['\\S', 'some words'],
]
const FORMATTED: Record<string, string> = {
  email: 'somebody@onsale.test',
  'date-time': '2031-04-15T12:00:00.000Z',
}

/** A value that the schema takes, with all that is optional too. Throws for a pattern it has no text for. */
export function sampleOf(schema: Schema, known: Known = {}, name = ''): unknown {
  if (name in known && schema.type !== 'object') return known[name]
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sampleOf(schema.anyOf[0]!, known, name)
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([field, part]) => [field, sampleOf(part, known, field)]),
      )
    case 'array': {
      const one = sampleOf(schema.items!, known)
      return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => one)
    }
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    default:
      return sampleText(schema)
  }
}

function sampleText({ pattern, format, minLength = 1 }: Schema): string {
  if (format) return FORMATTED[format] ?? 'x'
  if (pattern === undefined) return 'x'.repeat(Math.max(1, minLength))
  const found = PATTERNED.find(([known]) => known === pattern)
  if (!found) throw new Error(`no text is known for the pattern ${pattern}`)
  return found[1]
}

/** The path with its parameters filled in; throws for one that nobody knows, so that a new one is thought of. */
export function fillPath({ name, path }: Operation, known: Known): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, parameter: string) => {
    if (!(parameter in known)) throw new Error(`${name}: say what {${parameter}} is`)
    return encodeURIComponent(String(known[parameter]))
  })
}

/** What is asked after the path: all required parameters, and the optional ones that are known. */
export function fillQuery({ parameters }: Operation, known: Known): string {
  const query = new URLSearchParams()
  for (const { name, in: place, required, schema } of parameters)
    if (place === 'query' && (required || known[name] !== undefined))
      query.set(name, String(sampleOf(schema, known, name)))
  return query.size > 0 ? `?${query}` : ''
}

/** What in an answer the document does not say; null when all is as documented. */
export function undocumented(operation: Operation, { status, headers, body }: Answer): string | null {
  const documented = operation.responses[String(status)]
  if (!documented) return `${status} is not documented: ${JSON.stringify(body).slice(0, 300)}`
  const type = headers.get('content-type')?.split(';')[0] ?? ''
  const schema = documented.content?.[type]?.schema
  if (!schema) return `${status} comes as ${type || 'nothing'}, which is not documented`
  if (type !== 'application/json') return null
  const fault = faultIn(schema, body, '')
  return fault && `${status}: ${fault}`
}

/** Where a value is not what its schema says, in words; null when it is. */
function faultIn(schema: Schema, value: unknown, at: string): string | null {
  if (value === null && schema.nullable) return null
  if (schema.anyOf) {
    const faults = schema.anyOf.map((kind) => faultIn(kind, value, at))
    return faults.includes(null) ? null : faults[0]!
  }
  if (schema.enum && !schema.enum.includes(value)) return `${at} is ${JSON.stringify(value)}`
  const kind = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (schema.type === 'integer') return Number.isInteger(value) ? null : `${at} is no whole number`
  if (schema.type && schema.type !== kind) return `${at} is ${kind}, not ${schema.type}`
  if (schema.pattern && !new RegExp(schema.pattern).test(String(value)))
    return `${at} does not fit its pattern`
  if (kind === 'array' && schema.items) {
    const items = schema.items
    return firstOf((value as unknown[]).map((part, i) => faultIn(items, part, `${at}/${i}`)))
  }
  if (kind !== 'object' || !schema.properties) return null
  const parts = value as Record<string, unknown>
  const missing = schema.required?.find((field) => !(field in parts))
  if (missing) return `${at}/${missing} is missing`
  return firstOf(
    Object.entries(parts).map(([field, part]) => {
      const known = schema.properties![field]
      if (known) return faultIn(known, part, `${at}/${field}`)
      return schema.additionalProperties ? null : `${at}/${field} is not documented`
    }),
  )
}

const firstOf = (faults: (string | null)[]) => faults.find((fault) => fault !== null) ?? null
