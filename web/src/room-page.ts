// Starts the waiting room alone: the page that everybody loads in the same minute carries nothing but itself.
import { mount } from 'svelte'
import './design/tokens.css'
import './design/base.css'
import './design/room-page.css'
import RoomPage from './components/RoomPage.svelte'
import { session } from './state/session.svelte.ts'
import { worksOffline } from './works-offline.ts'

void session.start()
worksOffline()

const target = document.getElementById('app')
if (!target) throw new Error('room.html has no #app')
target.textContent = ''
mount(RoomPage, { target, props: { eventId: decodeURIComponent(location.pathname.split('/')[2] ?? '') } })
// For whoever measures: from here on the page answers.
performance.mark('room:interactive')
