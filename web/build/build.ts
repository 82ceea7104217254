// Builds the window: once for every language, so that each reader loads their own alone; what is the same is one file.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'vite'
import { compileMessages, languages } from './messages.ts'

const WEB = join(import.meta.dirname, '..')

/** Writes `<language>/index.html` and the shared `assets/` into `outDir`, which is emptied first. Throws what Vite said. */
export async function buildWindow(outDir: string): Promise<void> {
  await compileMessages()
  const cache = join(WEB, '../.cache')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'window-'))
  rmSync(outDir, { recursive: true, force: true })
  try {
    for (const language of languages()) {
      process.env['WINDOW_LANGUAGE'] = language
      const built = join(work, language)
      await build({
        configFile: join(WEB, 'vite.config.ts'),
        logLevel: 'warn',
        build: { outDir: built, emptyOutDir: true },
      })
      // Files are named after what is in them: those of two languages with one name are the same.
      cpSync(join(built, 'assets'), join(outDir, 'assets'), { recursive: true })
      cpSync(join(built, 'index.html'), join(outDir, language, 'index.html'))
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  process.env['NODE_ENV'] ??= 'production'
  await buildWindow(resolve(process.argv[2] ?? join(WEB, 'dist')))
}
