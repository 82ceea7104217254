// Owns how spans are made and sent by OTLP over HTTP; the library is loaded only when somebody wants them (ADR 34).
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Attributes, Span, SpanKind } from '@opentelemetry/api'
import type { Tracer } from './trace.ts'

/** Spans that wait to be sent; what comes beyond is dropped, never waited for. */
const WAITING_MAX = 4_096
const SEND_EVERY_MS = 1_000
const SEND_AT_ONCE_MAX = 512
const SEND_WITHIN_MS = 5_000
const CLOSE_WITHIN_MS = 2_000
/** version 00, trace, span, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const NOTHING = /^(?:ff-|..-0{32}-|..-.{32}-0{16}-)/
const SAMPLED = 1

export interface SpanAsked {
  name: string
  kind: 'server' | 'consumer' | 'internal'
  /** The traceparent of who asked, from another process; one that is malformed begins a new trace. */
  parent?: string | null | undefined
  attributes?: Attributes
}

export interface OpenSpan {
  rename(name: string): void
  tell(attributes: Attributes): void
  /** The work went wrong without throwing. */
  fail(): void
}

export interface Tracing extends Tracer {
  /** Runs `work` in a span of its own; what it throws marks the span and is thrown on. */
  span<T>(asked: SpanAsked, work: (span: OpenSpan) => Promise<T>): Promise<T>
  /** Sends what is left, for a bounded time. */
  close(): Promise<void>
}

/** `endpoint` is the collector's address, without the path of traces. */
export async function openTracing({
  endpoint,
  service,
  instance,
}: {
  endpoint: string
  service: string
  instance: string
}): Promise<Tracing> {
  const [api, sdk, otlp, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const exporter = new otlp.OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: SEND_WITHIN_MS,
  })
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': service,
      'service.instance.id': instance,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: WAITING_MAX,
        maxExportBatchSize: SEND_AT_ONCE_MAX,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_WITHIN_MS,
      }),
    ],
  })
  const tracer = provider.getTracer('onsale')
  const underWay = new AsyncLocalStorage<Span>()
  const kinds: Record<SpanAsked['kind'], SpanKind> = {
    server: api.SpanKind.SERVER,
    consumer: api.SpanKind.CONSUMER,
    internal: api.SpanKind.INTERNAL,
  }

  function parentOf(parent: SpanAsked['parent']) {
    const [, traceId, spanId, flags] = (parent && !NOTHING.test(parent) && TRACEPARENT.exec(parent)) || []
    if (!traceId || !spanId || !flags) return api.ROOT_CONTEXT
    const traceFlags = Number.parseInt(flags, 16) & SAMPLED
    return api.trace.setSpanContext(api.ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
  }

  async function run<T>(span: Span, work: (span: OpenSpan) => Promise<T>): Promise<T> {
    const fail = () => void span.setStatus({ code: api.SpanStatusCode.ERROR })
    const open: OpenSpan = {
      rename: (name) => void span.updateName(name),
      tell: (attributes) => void span.setAttributes(attributes),
      fail,
    }
    try {
      return await underWay.run(span, () => work(open))
    } catch (fault) {
      fail()
      throw fault
    } finally {
      span.end()
    }
  }

  return {
    span: ({ name, kind, parent, attributes }, work) =>
      run(
        tracer.startSpan(name, { kind: kinds[kind], ...(attributes && { attributes }) }, parentOf(parent)),
        work,
      ),
    stage(name, work) {
      const above = underWay.getStore()
      // A sweep's work belongs to no request.
      if (!above) return work()
      return run(tracer.startSpan(name, {}, api.trace.setSpan(api.ROOT_CONTEXT, above)), work)
    },
    current() {
      const context = underWay.getStore()?.spanContext()
      if (!context) return undefined
      return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`
    },
    close: async () =>
      void (await Promise.race([provider.shutdown().catch(() => {}), Bun.sleep(CLOSE_WITHIN_MS)])),
  }
}
