internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import SinewCore

/// Closes connections that keep a place without using it: a request that does not end, one that is too long, and a reader
/// that does not read. Belongs to its connection's event loop.
///
/// It sees bytes, before HTTP does: a request without an end, a URL without an end and a body nobody asked for are all the same
/// here. What comes in between two answers is one request, however many it claims to be.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limits: Limits
    private var unansweredBytes = 0
    private var requestEnds: Scheduled<Void>?
    private var readingEnds: Scheduled<Void>?

    init(_ limits: Limits) { self.limits = limits }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        unansweredBytes += buffer.readableBytes
        guard unansweredBytes <= limits.httpUnansweredBytesMax else { return context.close(promise: nil) }
        if requestEnds == nil { requestEnds = close(context, after: limits.httpRequestDurationMax) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        unansweredBytes = 0
        requestEnds?.cancel()
        requestEnds = nil
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            readingEnds?.cancel()
            readingEnds = nil
        } else if readingEnds == nil {
            readingEnds = close(context, after: limits.httpUnreadDurationMax)
        }
        context.fireChannelWritabilityChanged()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        requestEnds?.cancel()
        readingEnds?.cancel()
    }

    private func close(_ context: ChannelHandlerContext, after duration: Duration) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) { context.close(promise: nil) }
    }
}

/// HTTP/1.1 behind a ``ConnectionGuard``.
struct GuardedChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http: HTTP1Channel
    private let limits: Limits

    init(_ limits: Limits, responder: @escaping HTTPChannelHandler.Responder) {
        var configuration = HTTP1Channel.Configuration(idleTimeout: TimeAmount(limits.httpIdleMax))
        configuration.httpDecoder.maxHeaderFieldSize = limits.httpFieldBytesMax
        configuration.httpDecoder.maxHeaderListSize = limits.httpUnansweredBytesMax
        configuration.httpDecoder.maxHeaderFieldCount = limits.httpFieldsMax
        http = HTTP1Channel(responder: responder, configuration: configuration)
        self.limits = limits
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do {
            try channel.pipeline.syncOperations.addHandler(ConnectionGuard(limits))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return http.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
