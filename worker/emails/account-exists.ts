// Decides what the owner of an account is told when somebody registers the same address again.
import { renderLetter, type Mail } from './letter.ts'

export interface AccountExistsInput {
  loginUrl: string
}

/** The web page answers the same for a known and an unknown address; only the mailbox learns the difference. */
export function accountExistsMail({ loginUrl }: AccountExistsInput): Mail {
  return renderLetter({
    subject: 'You already have an Onsale account',
    opening: 'Someone tried to create an Onsale account with this email address, which already has one.',
    action: { label: 'Sign in', url: loginUrl },
    blocks: [
      { text: 'If it was you, sign in with the password you chose before.' },
      {
        text: 'If it was not you, there is nothing to do: your account and your password have not changed.',
      },
    ],
  })
}
