// Owns which languages the window is written in, and changing to another one.
import { language, LANGUAGE_COOKIE } from './language.ts'

const COOKIE_SECONDS = 400 * 24 * 3_600

/** Every language the window is written in, by its own name; `web/messages` has a folder for each. */
export const LANGUAGES = { en: 'English', id: 'Bahasa Indonesia' } as const
export type Language = keyof typeof LANGUAGES
export const isLanguage = (tag: string | null): tag is Language =>
  tag !== null && Object.hasOwn(LANGUAGES, tag)

/** Loads this very page in another language. Nothing is lost: places, seats and payments survive a reload. */
export function speak(chosen: Language): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  document.cookie = `${LANGUAGE_COOKIE}=${chosen}; Path=/; Max-Age=${COOKIE_SECONDS}; SameSite=Lax${secure}`
  if (chosen !== language) location.reload()
}
