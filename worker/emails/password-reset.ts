// Decides what the mail says that lets an owner choose a new password.
import { renderLetter, type Mail } from './letter.ts'

export interface PasswordResetInput {
  resetUrl: string
}

export function passwordResetMail({ resetUrl }: PasswordResetInput): Mail {
  return renderLetter({
    subject: 'Choose a new password',
    opening: 'Someone asked for a new password for your Onsale account.',
    action: { label: 'Choose a new password', url: resetUrl },
    blocks: [
      {
        text: 'The link works once and for one hour. Choosing a new password signs you out on every device.',
      },
      { text: 'If it was not you, ignore this mail: your password stays as it is.' },
    ],
  })
}
