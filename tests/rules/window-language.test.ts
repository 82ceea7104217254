// Holds the choice of a language: the person's own first, then what the browser wishes, most wished for first.
import { expect, test } from 'bun:test'
import { chooseLanguage } from '../../server/window-language.ts'

const SPOKEN = ['en', 'id']
const choose = (headers: Record<string, string>) => chooseLanguage(new Headers(headers), SPOKEN)

test('whoever asks for nothing, or for what is not there, gets the first language', () => {
  expect(choose({})).toBe('en')
  expect(choose({ 'accept-language': 'de-DE,fr;q=0.8' })).toBe('en')
  expect(choose({ 'accept-language': '*' })).toBe('en')
  expect(choose({ 'accept-language': ';;q=,=,' })).toBe('en')
})

test('the browser is asked by the weights of its wishes, whatever country it adds', () => {
  expect(choose({ 'accept-language': 'id-ID,id;q=0.9,en-US;q=0.8' })).toBe('id')
  expect(choose({ 'accept-language': 'en;q=0.4, id;q=0.6' })).toBe('id')
  expect(choose({ 'accept-language': 'id;q=0, en;q=0.1' })).toBe('en')
  expect(choose({ 'accept-language': 'de, ID' })).toBe('id')
})

test('what the person chose counts before the browser, unless it is no language', () => {
  expect(choose({ cookie: 'a=1; language=id', 'accept-language': 'en' })).toBe('id')
  expect(choose({ cookie: 'language=../../etc', 'accept-language': 'id' })).toBe('id')
})
