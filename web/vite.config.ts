// Decides how the window is built: hashed assets, no source maps, nothing a strict content policy would refuse.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, loadEnv } from 'vite'
import { sayMessages } from './build/say-messages.ts'

const DEFAULT_SERVER = 'http://127.0.0.1:3000'

export default defineConfig(({ mode }) => {
  const root = import.meta.dirname
  const target = loadEnv(mode, root, '')['SERVER_URL'] ?? DEFAULT_SERVER
  return {
    root,
    appType: 'spa',
    plugins: [
      sayMessages(process.env['WINDOW_LANGUAGE']),
      svelte({ configFile: false, compilerOptions: { runes: true } }),
    ],
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      sourcemap: false,
      // The polyfill is inline code, which the content policy refuses; every browser with light-dark() preloads.
      modulePreload: { polyfill: false },
      // Small files stay files: a data: address would need its own exception in the content policy.
      assetsInlineLimit: 0,
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
