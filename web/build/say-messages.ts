// Gives the window its messages: compiled before a build and after every change, and in a build those of one language alone.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { BASE_LANGUAGE, compileMessages, MESSAGES, SOURCES } from './messages.ts'

/** A compiled message asks for its language each time; a build of one language has the answer. */
const ASKS = /^import .*runtime\.js.*$/m
const CHOOSES = /export const (\w+) = [\s\S]*$/
const WORD = /%(\w+)%/g

/** @param language the one this build speaks; without one the browser's cookie decides */
export function sayMessages(language: string | undefined): Plugin {
  return {
    name: 'say-messages',
    buildStart: compileMessages,
    transform(code, id) {
      if (!language || !id.startsWith(join(MESSAGES, 'messages'))) return null
      const said = code
        .replace(ASKS, '')
        .replace(CHOOSES, (_, name) => `export const ${name} = ${language}_${name}`)
      return { code: said, map: null }
    },
    /** The page's own words, before any code: `%page_title%`, and `%language%`. */
    transformIndexHtml(html) {
      const spoken = language ?? BASE_LANGUAGE
      const words = JSON.parse(readFileSync(join(SOURCES, spoken, 'page.json'), 'utf8')) as Record<
        string,
        string
      >
      return html.replaceAll(WORD, (all, key: string) => (key === 'language' ? spoken : (words[key] ?? all)))
    },
    configureServer(server) {
      server.watcher.add(SOURCES)
      server.watcher.on('change', (path) => {
        if (path.startsWith(SOURCES)) void compileMessages()
      })
    },
  }
}
