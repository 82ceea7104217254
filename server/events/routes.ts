// Owns the event routes' table of contents (contract 3.2).
import { Elysia } from 'elysia'
import type { Context } from '../context.ts'
import { manageRoutes } from './manage-routes.ts'
import { readRoutes } from './read-routes.ts'
import { salesRoutes } from './sales-routes.ts'
import { seatRoutes } from './seat-routes.ts'
import { sectionRoutes } from './section-routes.ts'

export const eventRoutes = (context: Context) =>
  new Elysia({ prefix: '/event', normalize: false })
    .use(readRoutes(context))
    .use(seatRoutes(context))
    .use(sectionRoutes(context))
    .use(manageRoutes(context))
    .use(salesRoutes(context))
