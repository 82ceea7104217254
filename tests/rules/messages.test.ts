// Holds the languages of the window to each other: the same messages, told the same things, none left untranslated.
import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { areas, BASE_LANGUAGE, languages, messagesOf, SOURCES } from '../../web/build/messages.ts'
import { LANGUAGES } from '../../web/src/languages.ts'

const others = languages().filter((language) => language !== BASE_LANGUAGE)
/** What a message shows: `{count}`, wherever it stands in its forms. */
const shown = (message: unknown) =>
  [...new Set([...JSON.stringify(message).matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].toSorted()
/** Names and words that are the same in two languages. */
const SAME = new Set(['page_description'])
const LETTERS_MIN = 12

test('every language is offered by its own name, and has a file for every area', () => {
  expect(Object.keys(LANGUAGES).toSorted()).toEqual(languages().toSorted())
  for (const language of languages())
    expect(readdirSync(join(SOURCES, language)).toSorted()).toEqual(areas().map((area) => `${area}.json`))
})

test('every message is there in every language, and shows the same things', () => {
  for (const area of areas()) {
    const base = messagesOf(BASE_LANGUAGE, area)
    for (const language of others) {
      const told = messagesOf(language, area)
      expect([language, area, Object.keys(told).toSorted()]).toEqual([
        language,
        area,
        Object.keys(base).toSorted(),
      ])
      for (const [key, message] of Object.entries(base))
        expect([language, key, shown(told[key])]).toEqual([language, key, shown(message)])
    }
  }
})

test('no message belongs to two areas, and each is named after its own', () => {
  const keys = areas().flatMap((area) => Object.keys(messagesOf(BASE_LANGUAGE, area)))
  expect(new Set(keys).size).toBe(keys.length)
  for (const area of areas())
    for (const key of Object.keys(messagesOf(BASE_LANGUAGE, area)))
      expect(`${area}: ${key}`).toMatch(new RegExp(`^${area}: ${area.replace(/s$/, '')}s?_[a-z0-9_]+$`))
})

test('no sentence stands untranslated in another language', () => {
  for (const area of areas())
    for (const language of others)
      for (const [key, message] of Object.entries(messagesOf(language, area)))
        if (typeof message === 'string' && message.length >= LETTERS_MIN && !SAME.has(key))
          expect(`${key}: ${message}`).not.toBe(`${key}: ${String(messagesOf(BASE_LANGUAGE, area)[key])}`)
})
