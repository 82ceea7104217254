// Owns the OpenAPI document as it is published: what the plugin collects, in words that OpenAPI 3.0 knows.
//
// The plugin copies TypeBox' JSON Schema as it is, which OpenAPI 3.0 partly cannot read (`const`, type `null`, tuples,
// `examples`), offers bodies as forms, which the listener refuses, ends group routes with a slash, and takes the ending of
// a file for a part of its parameter's name. What the listener answers before any route is asked is added here, so that no
// route has to say it.
import type { ErrorCode } from './protocol/codes.ts'
import { documentRefusals } from './protocol/http.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type JsonObject = { [name: string]: Json }

const JSON_TYPE = 'application/json'
const READING = new Set(['get', 'head'])
/** As the plugin writes `/:id.pdf`. */
const PARAMETER_WITH_ENDING = /\{(\w+)(\.\w+)\}/

/** The plugin's answer with its document rewritten; any other answer as it is. */
export async function publishDocument(answer: Response): Promise<Response> {
  if (!answer.ok) return answer
  const headers = new Headers(answer.headers)
  headers.delete('content-length')
  return Response.json(toOpenApi30((await answer.json()) as Json), { headers })
}

/** Rewrites a document; the given one is not changed. */
function toOpenApi30(document: Json): Json {
  const plain = rewrite(document)
  if (!isObject(plain) || !isObject(plain['paths'] ?? null)) return plain
  const paths = Object.entries(plain['paths'] as JsonObject)
  return {
    ...plain,
    paths: Object.fromEntries(
      paths.map(([path, item]) => [
        path.replace(/(?<=.)\/$/, '').replace(PARAMETER_WITH_ENDING, '{$1}$2'),
        withEdgeAnswers(item as JsonObject),
      ]),
    ),
  }
}

function withEdgeAnswers(item: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(item).map(([method, operation]) => {
      if (!isObject(operation) || !isObject(operation['responses'])) return [method, operation]
      const { responses } = operation
      const codes = [
        ...Object.values(responses).flatMap(codesOf),
        ...edgeCodes(method, operation['security'] !== undefined),
      ]
      const refusals = rewrite(documentRefusals(codes) as unknown as Json) as JsonObject
      return [method, { ...operation, responses: { ...responses, ...refusals } }]
    }),
  )
}

/** A body nobody asked for is looked at too, and a cookie that another site's page sent along. */
function edgeCodes(method: string, isGuarded: boolean): ErrorCode[] {
  if (READING.has(method)) return ['request_invalid']
  return ['request_invalid', 'body_too_large', ...(isGuarded ? (['origin_refused'] as const) : [])]
}

/** The words of an error answer; none for a success. */
function codesOf(answer: Json): ErrorCode[] {
  const path = ['content', JSON_TYPE, 'schema', 'properties', 'code', 'enum']
  const words = path.reduce<Json | undefined>(
    (part, name) => (isObject(part) ? part[name] : undefined),
    answer,
  )
  return Array.isArray(words) ? (words as ErrorCode[]) : []
}

function rewrite(value: Json): Json {
  if (Array.isArray(value)) return value.map(rewrite)
  if (!isObject(value)) return value
  const parts = Object.entries(value).map(([name, part]): [string, Json] => [name, rewrite(part)])
  return [
    parameterWithoutEnding,
    onlyJsonBodies,
    nothingAsNull,
    constAsEnum,
    tupleAsList,
    oneExample,
    nullAsNullable,
    wordsAsEnum,
  ].reduce((object, step) => step(object), Object.fromEntries(parts))
}

function parameterWithoutEnding(object: JsonObject): JsonObject {
  const { name } = object
  return object['in'] === 'path' && typeof name === 'string'
    ? { ...object, name: name.replace(/\.\w+$/, '') }
    : object
}

function onlyJsonBodies(object: JsonObject): JsonObject {
  const content = object['content']
  return isObject(content) && JSON_TYPE in content
    ? { ...object, content: { [JSON_TYPE]: content[JSON_TYPE]! } }
    : object
}

/** Parts come before the whole, so this is also what "or null" looks like further up. */
function nothingAsNull(object: JsonObject): JsonObject {
  return object['type'] === 'null' ? { ...object, type: 'object', nullable: true, enum: [null] } : object
}
const isNull = (kind: Json) => isObject(kind) && Array.isArray(kind['enum']) && kind['enum'][0] === null

function constAsEnum(object: JsonObject): JsonObject {
  const { const: only, ...rest } = object
  return only === undefined || isObject(only) ? object : { ...rest, enum: [only] }
}

/** A tuple's length is kept, its parts are said to be of any of their kinds. */
function tupleAsList(object: JsonObject): JsonObject {
  const { items, additionalItems: _none, ...rest } = object
  if (!Array.isArray(items)) return object
  const kinds = [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]
  return { ...rest, items: kinds.length === 1 ? kinds[0]! : { anyOf: kinds } }
}

function oneExample(object: JsonObject): JsonObject {
  const { examples, ...rest } = object
  return Array.isArray(examples) ? { ...rest, example: examples[0] ?? null } : object
}

function nullAsNullable(object: JsonObject): JsonObject {
  const { anyOf, ...rest } = object
  if (!Array.isArray(anyOf)) return object
  const others = anyOf.filter((kind) => !isNull(kind))
  if (others.length === anyOf.length) return object
  const only = others.length === 1 ? others[0]! : { anyOf: others }
  return { ...rest, ...(isObject(only) ? only : {}), nullable: true }
}

function wordsAsEnum(object: JsonObject): JsonObject {
  const { anyOf, ...rest } = object
  if (!Array.isArray(anyOf)) return object
  const words = anyOf.map((kind) => (isObject(kind) && kind['type'] === 'string' ? kind['enum'] : undefined))
  return words.every(Array.isArray) ? { ...rest, type: 'string', enum: words.flat() } : object
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
