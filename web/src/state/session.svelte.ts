// Owns who is using the window: nobody yet known, a visitor, or an account with its permissions.
import type { Permission } from '../../../server/protocol/codes.ts'
import type { LoginView, UserView } from '../../../server/protocol/http.ts'
import { ask, newKey, type Answer } from '../net/api.ts'
import {
  findUser,
  keepSignedIn,
  keepTickets,
  keepUser,
  onSignedInElsewhere,
  wasSignedIn,
} from '../net/keep.ts'

class Session {
  user = $state.raw<UserView | null>(null)
  /** False until the first look is done: a screen must not send anyone to sign in before that. */
  known = $state(false)

  /** Looks once who we are; signing in or out in another tab is noticed here too. */
  async start(): Promise<void> {
    // Nobody waits for an answer to be who they were: what the server thinks of it is heard with the first question.
    if (wasSignedIn()) this.user = findUser()
    onSignedInElsewhere(() => void this.look())
    await this.look()
  }

  async look(): Promise<void> {
    if (!wasSignedIn()) this.user = null
    else {
      const answer = await ask<UserView>('/auth/me')
      if (answer.ok) this.take(answer.data)
      else if (answer.problem.code === 'unauthenticated' || answer.problem.code === 'token_expired')
        this.forget()
      // Not signed out, only not reachable: the server decides again on the next thing asked of it.
      else this.user ??= findUser()
    }
    this.known = true
  }

  async signIn(email: string, password: string): Promise<Answer<LoginView>> {
    const answer = await ask<LoginView>('/auth/login', { method: 'POST', body: { email, password } })
    if (answer.ok) {
      keepSignedIn(true)
      this.take(answer.data.user)
      this.known = true
    }
    return answer
  }

  async signOut(): Promise<Answer<unknown>> {
    const answer = await ask('/auth/logout', { method: 'POST', key: newKey() })
    if (answer.ok || answer.problem.code === 'unauthenticated') this.forget()
    return answer
  }

  /** The session is gone, wherever that was decided. */
  forget(): void {
    keepSignedIn(false)
    keepUser(null)
    keepTickets(null)
    this.user = null
  }

  /** Who we are, as the server says it now. */
  take(user: UserView): void {
    keepUser(user)
    this.user = user
  }

  may(permission: Permission): boolean {
    return this.user?.permissions.includes(permission) ?? false
  }
}

export const session = new Session()
