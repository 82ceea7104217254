// Owns the OpenAPI document as it is published: what the plugin collects, in words that OpenAPI 3.0 knows.
//
// The plugin copies TypeBox' JSON Schema as it is, which OpenAPI 3.0 partly cannot read (`const`, type `null`, tuples,
// `examples`), offers bodies as forms, which the listener refuses, and ends group routes with a slash.

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type JsonObject = { [name: string]: Json }

const JSON_TYPE = 'application/json'

/** The plugin's answer with its document rewritten; any other answer as it is. */
export async function publishDocument(answer: Response): Promise<Response> {
  if (!answer.ok) return answer
  const headers = new Headers(answer.headers)
  headers.delete('content-length')
  return Response.json(toOpenApi30((await answer.json()) as Json), { headers })
}

/** Rewrites a document; the given one is not changed. */
export function toOpenApi30(document: Json): Json {
  const plain = rewrite(document)
  if (!isObject(plain) || !isObject(plain['paths'] ?? null)) return plain
  const paths = Object.entries(plain['paths'] as JsonObject)
  return {
    ...plain,
    paths: Object.fromEntries(paths.map(([path, item]) => [path.replace(/(?<=.)\/$/, ''), item])),
  }
}

function rewrite(value: Json): Json {
  if (Array.isArray(value)) return value.map(rewrite)
  if (!isObject(value)) return value
  const parts = Object.entries(value).map(([name, part]): [string, Json] => [name, rewrite(part)])
  return [
    onlyJsonBodies,
    nothingAsNull,
    constAsEnum,
    tupleAsList,
    oneExample,
    nullAsNullable,
    wordsAsEnum,
  ].reduce((object, step) => step(object), Object.fromEntries(parts))
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
