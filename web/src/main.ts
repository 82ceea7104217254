// Starts the window.
import { mount } from 'svelte'
import './design/tokens.css'
import './design/base.css'
import App from './App.svelte'
import { goBy } from './go.ts'
import { router } from './state/router.svelte.ts'
import { session } from './state/session.svelte.ts'
import { worksOffline } from './works-offline.ts'

router.start()
goBy((address, options) => router.go(address, options))
void session.start()
worksOffline()

const target = document.getElementById('app')
if (!target) throw new Error('index.html has no #app')
mount(App, { target })
