// Leaves out of a page that stands alone what only other pages need: styles that come with code, and taking over a page that
// the server has drawn.
import type { Plugin } from 'vite'

const HELPER = '\0vite/preload-helper.js'
const HYDRATION = /svelte\/src\/internal\/client\/dom\/hydration\.js$/

export const standsAlone = (): Plugin => ({
  name: 'stands-alone',
  enforce: 'pre',
  load: (id) => (id === HELPER ? 'export const __vitePreload = (load) => load()' : null),
  transform: (code, id) =>
    HYDRATION.test(id)
      ? {
          code: code
            .replace('export let hydrating = false;', 'export const hydrating = false;')
            .replace('hydrating = value;', ''),
          map: null,
        }
      : null,
})
