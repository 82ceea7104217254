// Holds the window's sentences against the list of codes: every refusal tells a person what to do next.
import { expect, test } from 'bun:test'
import { ERROR_CODES } from '../../server/protocol/codes.ts'
import { ERROR_TEXT, isErrorCode, textFor } from '../../web/src/error-text.ts'

test('every error code has a sentence of its own, and no sentence is left over', () => {
  expect(Object.keys(ERROR_TEXT).toSorted()).toEqual(ERROR_CODES.toSorted())
  expect(new Set(Object.values(ERROR_TEXT)).size).toBe(ERROR_CODES.length)
})

test('every sentence says what happened and then what to do', () => {
  const sentences = [...Object.values(ERROR_TEXT), textFor('unreachable')]
  for (const sentence of sentences) {
    expect(sentence.split(/[.:;] /).length).toBeGreaterThanOrEqual(2)
    expect(sentence).toEndWith('.')
    expect(sentence).not.toMatch(/error|code|token|null|undefined|server/i)
  }
})

test('a word that is not a code is not taken for one', () => {
  expect(isErrorCode('seat_taken')).toBe(true)
  expect(isErrorCode('constructor')).toBe(false)
  expect(isErrorCode(409)).toBe(false)
})
