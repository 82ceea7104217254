// Owns which languages a person can be written to in.

export const MAIL_LANGUAGES = ['en', 'id'] as const
export type MailLanguage = (typeof MAIL_LANGUAGES)[number]

/** Null for a language that is not spoken here any more. */
export const mailLanguage = (language: string | null): MailLanguage | null =>
  MAIL_LANGUAGES.find((known) => known === language) ?? null
