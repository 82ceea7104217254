// Holds the window's sentences against the list of codes: every refusal tells a person what to do next, in every language.
import { expect, test } from 'bun:test'
import { ERROR_CODES } from '../../server/protocol/codes.ts'
import { languages, messagesOf } from '../../web/build/messages.ts'
import { ERROR_TEXT, isErrorCode } from '../../web/src/error-text.ts'

/** What the inside calls things, in each language: no sentence for a person may. */
const INSIDE: Record<string, RegExp> = {
  en: /error|code|token|null|undefined|server/i,
  id: /error|kode|token|null|undefined|server/i,
}

test('every error code has a sentence of its own in every language, and no sentence is left over', () => {
  expect(Object.keys(ERROR_TEXT).toSorted()).toEqual(ERROR_CODES.toSorted())
  for (const language of languages()) {
    const sentences = messagesOf(language, 'errors')
    expect(Object.keys(sentences).toSorted()).toEqual(
      [...ERROR_CODES, 'unreachable'].map((code) => `error_${code}`).toSorted(),
    )
    expect(new Set(Object.values(sentences)).size).toBe(ERROR_CODES.length + 1)
  }
})

test('every sentence says what happened and then what to do', () => {
  for (const language of languages())
    for (const sentence of Object.values(messagesOf(language, 'errors')).map(String)) {
      expect(sentence.split(/[.:;] /).length).toBeGreaterThanOrEqual(2)
      expect(sentence).toEndWith('.')
      expect(sentence).not.toMatch(INSIDE[language]!)
    }
})

test('a code finds its own sentence', () => {
  for (const code of ERROR_CODES)
    expect(ERROR_TEXT[code]()).toBe(String(messagesOf('en', 'errors')[`error_${code}`]))
})

test('a word that is not a code is not taken for one', () => {
  expect(isErrorCode('seat_taken')).toBe(true)
  expect(isErrorCode('constructor')).toBe(false)
  expect(isErrorCode(409)).toBe(false)
})
