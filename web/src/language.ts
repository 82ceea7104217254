// Owns the language of the window: the page is built in it, and another one is another page.

const COOKIE = 'language'
const COOKIE_SECONDS = 400 * 24 * 3_600

// The development server has one page for all languages.
if (import.meta.env?.DEV)
  document.documentElement.lang =
    new RegExp(`(?:^|; )${COOKIE}=([a-z-]+)`).exec(document.cookie)?.[1] ?? document.documentElement.lang

/** BCP 47; what messages are written in, and what times, money and counts are formatted for. */
export const language: string = globalThis.document?.documentElement.lang || 'en'

/** Every language the window is written in, by its own name; `web/messages` has a folder for each. */
export const LANGUAGES = { en: 'English', id: 'Bahasa Indonesia' } as const
export type Language = keyof typeof LANGUAGES

/** Loads this very page in another language. Nothing is lost: places, seats and payments survive a reload. */
export function speak(chosen: Language): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  document.cookie = `${COOKIE}=${chosen}; Path=/; Max-Age=${COOKIE_SECONDS}; SameSite=Lax${secure}`
  if (chosen !== language) location.reload()
}
