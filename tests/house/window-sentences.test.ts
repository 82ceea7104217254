// Holds every sentence of the window to web/messages: none stands in a component or a state, where no language reaches it.
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { parse } from 'svelte/compiler'

const WINDOW = join(import.meta.dir, '../../web/src')
/** Every file is parsed. */
const PARSE_MS = 60_000
/** Attributes and props that somebody reads or hears, unless they are asked for by a function. */
const SPOKEN = new Set([
  'alt',
  'ask',
  'description',
  'hint',
  'label',
  'placeholder',
  'text',
  'title',
  'yes',
  'aria-label',
  'aria-description',
  'aria-roledescription',
  'aria-valuetext',
])
/** What is written the same in every language. */
const EVERYWHERE = new Set(['Onsale', 'Bahasa Indonesia', 'Samsung Internet'])
const WORD = /\p{L}{2,}/gu
/** Two words with nothing but a space and marks between: what a name, a key or a selector seldom has. */
const WORDS_SIDE_BY_SIDE = /[\p{L}’'”),.;:%]\s+[\p{L}“"'(]/u
/** Written for browsers: a query, a selector, a style, a list of codes, a path, a header. */
const FOR_MACHINES = /^\(|[{}<>=]|^[a-z-]+\/|^[.#[;]|^[\w-]+(\s+[\w-]+)*;|^[a-z-]+\(|^[A-Z]{3}( [A-Z]{3})*$/
/** A word alone for which somebody else has a sentence: `sold_out`, `menu-item`. */
const NAME = /^[\w./-]*$/

interface Node {
  type: string
  [key: string]: unknown
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
const childrenOf = (node: Node): Node[] =>
  Object.entries(node)
    .filter(([key]) => key !== 'parent' && key !== 'metadata')
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter(isNode)

const isSaid = (text: string) => (text.match(WORD) ?? []).length > 0 && !EVERYWHERE.has(text.trim())
const isSentence = (text: string) =>
  WORDS_SIDE_BY_SIDE.test(text) && !FOR_MACHINES.test(text.trim()) && !EVERYWHERE.has(text)

/** Styles, types, imports and faults are read by whoever writes the window. */
const UNHEARD = new Set([
  'StyleSheet',
  'StyleDirective',
  'ImportDeclaration',
  'ThrowStatement',
  'TSLiteralType',
  'TSTypeAliasDeclaration',
  'TSInterfaceDeclaration',
])

/** The sentences of one file: what stands between tags, in attributes that are read, and in strings. */
function sentencesIn(source: string, isComponent: boolean): string[] {
  const tree = parse(isComponent ? source : `<script lang="ts">${source}</script>`, { modern: true })
  const found: string[] = []
  const visit = (node: Node, spoken: boolean): void => {
    if (UNHEARD.has(node.type)) return
    if (node.type === 'NewExpression' && String((node['callee'] as Node)['name']).endsWith('Error')) return
    if (node.type === 'Attribute') {
      const heard = SPOKEN.has(String(node['name']))
      for (const value of childrenOf(node)) if (heard || value.type !== 'Text') visit(value, heard)
      return
    }
    const text = textOf(node)
    if (
      text !== null &&
      (node.type === 'Text' ? isSaid(text) : isSentence(text) || (spoken && !NAME.test(text)))
    )
      found.push(text.trim())
    for (const child of childrenOf(node)) visit(child, spoken && node.type !== 'CallExpression')
  }
  for (const part of [tree.fragment, tree.instance, tree.module]) if (isNode(part)) visit(part, false)
  return found
}

/** What a node says; what is put into it stands as a 0. */
function textOf(node: Node): string | null {
  if (node.type === 'Text') return String(node['data'])
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : null
  if (node.type !== 'TemplateLiteral') return null
  return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('0')
}

test('what the window says is found wherever it stands', () => {
  expect(sentencesIn('<p class="a b">Held by <b>{name}</b></p>', true)).toEqual(['Held by'])
  expect(sentencesIn('<Field label="Name" type="text" hint={full ? "None left." : hint()} />', true)).toEqual(
    ['Name', 'None left.'],
  )
  expect(sentencesIn('const said = `${n} seats marked`; throw new Error("no such seat")', false)).toEqual([
    '0 seats marked',
  ])
  expect(sentencesIn("const a = 'sold_out'; const b: 'two words' = matchMedia('(a: b)')", false)).toEqual([])
})

test(
  'no sentence of the window stands outside web/messages',
  async () => {
    const found: string[] = []
    for await (const path of new Bun.Glob('**/*.{svelte,ts}').scan(WINDOW)) {
      const source = await Bun.file(join(WINDOW, path)).text()
      for (const sentence of sentencesIn(source, path.endsWith('.svelte'))) found.push(`${path}: ${sentence}`)
    }
    expect(found.toSorted()).toEqual([])
  },
  PARSE_MS,
)
