// Decides what the owner of an account is told when somebody registers the same address again.
import type { MailWords } from './languages/en.ts'
import { renderLetter, type Mail } from './letter.ts'

/** The web page answers the same for a known and an unknown address; only the mailbox learns the difference. */
export function accountExistsMail(words: MailWords, { loginUrl }: { loginUrl: string }): Mail {
  const { subject, opening, action, you, notYou } = words.accountExists
  return renderLetter(words, {
    subject,
    opening,
    action: { label: action, url: loginUrl },
    blocks: [{ text: you }, { text: notYou }],
  })
}
