// Decides how the window is built: hashed assets, no source maps, nothing a strict content policy would refuse.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, loadEnv } from 'vite'
import { standsAlone } from './build/stands-alone.ts'
import { sayMessages } from './build/say-messages.ts'

/** Its flags are the one part that works by being loaded. */
const SVELTE = /node_modules\/svelte\/src\/(?!internal\/flags)/
const DEFAULT_SERVER = 'http://127.0.0.1:3000'

export default defineConfig(({ mode }) => {
  const root = import.meta.dirname
  const target = loadEnv(mode, root, '')['SERVER_URL'] ?? DEFAULT_SERVER
  // The waiting room is a page of its own, built apart, so that it carries nothing but what it uses itself.
  const alone = process.env['WINDOW_PAGE'] === 'room'
  return {
    root,
    appType: 'spa',
    plugins: [
      sayMessages(process.env['WINDOW_LANGUAGE']),
      svelte({ configFile: false, compilerOptions: { runes: true, discloseVersion: false } }),
      ...(alone ? [standsAlone()] : []),
    ],
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      // Copied once beside both pages, by build.ts.
      copyPublicDir: false,
      sourcemap: false,
      manifest: true,
      // The polyfill is inline code, which the content policy refuses; every browser with light-dark() preloads.
      modulePreload: { polyfill: false },
      // Small files stay files: a data: address would need its own exception in the content policy.
      assetsInlineLimit: 0,
      // Those with light-dark(), which is left as it is written.
      cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
      rolldownOptions: {
        input: `${root}/${alone ? 'room' : 'index'}.html`,
        // Svelte does not say of itself what nobody would miss, and would come whole with the first screen.
        treeshake: { moduleSideEffects: [{ test: SVELTE, sideEffects: false }] },
      },
    },
    server: {
      host: '127.0.0.1',
      proxy: {
        '/api': { target },
        '/dev': { target },
        '/ws': { target, ws: true },
      },
    },
  }
})
