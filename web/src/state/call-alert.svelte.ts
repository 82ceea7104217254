// Decides how somebody is called who is not looking: by the tab's title, and by a notification where that is allowed.
import { linesAtStake } from './lines.svelte.ts'

const FLASH_MS = 1_000
const CALLED = { title: '● Your turn · Onsale', text: 'It is your turn. Come in before the door closes.' }
const ADMITTED = {
  title: '● You are in · Onsale',
  text: 'You are let in. Your time to choose seats is running.',
}

/** The page is behind another tab, or its window is away. */
let hidden = $state(document.hidden)
let permission = $state(typeof Notification === 'undefined' ? 'denied' : Notification.permission)

export const alertsAre = () => permission
/** Asks the person, so only after they pressed something. */
export async function allowAlerts(): Promise<void> {
  permission = await Notification.requestPermission()
}

/** Call once, from a component that is always there. */
export function callWhoeverIsAway(): void {
  let unseen = $state(false)
  const called = $derived(linesAtStake().some(({ standing }) => standing === 'called'))
  const admitted = $derived(linesAtStake().some(({ standing }) => standing === 'admitted'))

  $effect(() => {
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  })
  $effect(() => {
    if (!hidden) unseen = false
  })
  // Admitted without a claim: nobody pressed anything, so nobody may know.
  $effect(() => {
    if (admitted && document.hidden) unseen = true
  })
  const word = $derived(called ? CALLED : admitted && unseen ? ADMITTED : null)

  $effect(() => {
    if (word && hidden) notify(word.text)
  })
  // The tab's title is all that can be seen of a page in the background.
  $effect(() => {
    if (!word) return
    const { title } = word
    const before = document.title
    let on = false
    const timer = setInterval(() => {
      on = !on
      document.title = on ? title : before
    }, FLASH_MS)
    return () => {
      clearInterval(timer)
      document.title = before
    }
  })
}

function look(): void {
  hidden = document.hidden
}

function notify(text: string): void {
  if (permission !== 'granted') return
  try {
    const note = new Notification('Onsale', { body: text, tag: 'onsale-turn' })
    note.addEventListener('click', () => {
      focus()
      note.close()
    })
  } catch {
    // Some phones allow notifications to installed apps alone; the title still flashes.
  }
}
