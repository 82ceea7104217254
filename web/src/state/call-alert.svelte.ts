// Decides how somebody is called who is not looking: by the tab's title, and by a notification where that is allowed.
import { m } from '#messages'
import { linesAtStake } from './lines.svelte.ts'

const FLASH_MS = 1_000
const CALLED = { title: m.room_called_title, text: m.room_called }
const ADMITTED = { title: m.room_in_title, text: m.room_in }

/** The page is behind another tab, or its window is away. */
let hidden = $state(document.hidden)
let permission = $state(typeof Notification === 'undefined' ? 'denied' : Notification.permission)

export const alertsAre = () => permission
/** Asks the person, so only after they pressed something. */
export async function allowAlerts(): Promise<void> {
  // Made within the press, or a browser keeps it silent.
  sound ??= new AudioContext()
  permission = await Notification.requestPermission()
}

/** Two rising notes, where the person asked to be told and the browser lets us. */
let sound: AudioContext | null = null
const NOTES_HZ = [660, 880]
const NOTE_SECONDS = 0.22
function ring(): void {
  if (sound?.state !== 'running') return
  for (const [index, hz] of NOTES_HZ.entries()) {
    const [tone, volume] = [sound.createOscillator(), sound.createGain()]
    const at = sound.currentTime + index * NOTE_SECONDS
    tone.frequency.value = hz
    volume.gain.setValueAtTime(0.15, at)
    volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_SECONDS)
    tone.connect(volume).connect(sound.destination)
    tone.start(at)
    tone.stop(at + NOTE_SECONDS)
  }
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
    if (word && hidden) void notify(word.text())
    if (word) ring()
  })
  // The tab's title is all that can be seen of a page in the background.
  $effect(() => {
    if (!word) return
    const title = word.title()
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

/** By the service worker where there is one: phones show no others. */
async function notify(body: string): Promise<void> {
  if (permission !== 'granted') return
  const options = { body, tag: 'onsale-turn', data: location.pathname }
  try {
    const worker = await navigator.serviceWorker?.getRegistration()
    if (worker) return await worker.showNotification('Onsale', options)
    const note = new Notification('Onsale', options)
    note.addEventListener('click', () => {
      focus()
      note.close()
    })
  } catch {
    // Not to be had here; the title still flashes.
  }
}
