// Decides what the mail says that asks a new buyer to confirm the address.
import { renderLetter, type Mail } from './letter.ts'

export interface VerificationInput {
  verifyUrl: string
}

/** Names nobody: whoever typed this address may not own it, and must not be able to write into its mailbox. */
export function verificationMail({ verifyUrl }: VerificationInput): Mail {
  return renderLetter({
    subject: 'Confirm your email address',
    opening: 'Confirm this email address to finish creating your Onsale account.',
    action: { label: 'Confirm my address', url: verifyUrl },
    blocks: [
      {
        text: 'The link works once and for one hour. After that you can ask for a new one where you sign in.',
      },
      { text: 'As soon as the address is confirmed you can sign in, join a waiting room and book seats.' },
      { text: 'If you did not create an account, ignore this mail: without the link nothing happens.' },
    ],
  })
}
