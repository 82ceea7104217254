// Decides what the mail says that lets an owner choose a new password.
import type { MailWords } from './languages/en.ts'
import { renderLetter, type Mail } from './letter.ts'

export function passwordResetMail(words: MailWords, { resetUrl }: { resetUrl: string }): Mail {
  const { subject, opening, action, lifetime, notYou } = words.passwordReset
  return renderLetter(words, {
    subject,
    opening,
    action: { label: action, url: resetUrl },
    blocks: [{ text: lifetime }, { text: notYou }],
  })
}
