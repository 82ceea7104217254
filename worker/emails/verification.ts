// Decides what the mail says that asks a new buyer to confirm the address.
import type { MailWords } from './languages/en.ts'
import { renderLetter, type Mail } from './letter.ts'

/** Names nobody: whoever typed this address may not own it, and must not be able to write into its mailbox. */
export function verificationMail(words: MailWords, { verifyUrl }: { verifyUrl: string }): Mail {
  const { subject, opening, action, lifetime, next, notYou } = words.verification
  return renderLetter(words, {
    subject,
    opening,
    action: { label: action, url: verifyUrl },
    blocks: [{ text: lifetime }, { text: next }, { text: notYou }],
  })
}
