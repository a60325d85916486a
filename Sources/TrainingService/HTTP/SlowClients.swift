// Clients that take their time: a connection is given up where a request does not come, or an answer is not taken.

import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// How long a client may take.
public struct ClientPatience: Sendable {
  /// From the connection, or the end of the last answer, to a request's whole head.
  public var head: Duration
  /// From its head to its end.
  public var body: Duration
  /// Nothing of an answer waits longer than this for the client to read what is before it.
  public var answer: Duration

  /// The defaults are enough for some megabytes over a slow line, and for browsers that keep connections.
  public init(head: Duration = .seconds(60), body: Duration = .seconds(90), answer: Duration = .seconds(60)) {
    self.head = head
    self.body = body
    self.answer = answer
  }
}

/// Closes a connection on which a request is not whole in time, or an answer waits too long to be taken. Otherwise a few
/// hundred of them, each with a byte now and then, would hold all that the server can hold.
///
/// A stream of events is an answer that goes on: it is held up by nothing here, as long as its client reads.
final class SlowClients: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let patience: ClientPatience
  private var request: Scheduled<Void>?
  private var answer: Scheduled<Void>?
  private var isFile = false
  /// Bytes of a worker's file since it last had its time anew.
  private var received = 0
  /// So much of a worker's file has to come within the patience for a body.
  private static let leastPart = 256 << 10

  init(_ patience: ClientPatience) { self.patience = patience }

  func handlerAdded(context: ChannelHandlerContext) {
    request = close(after: patience.head, context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    request?.cancel()
    answer?.cancel()
  }

  func channelInactive(context: ChannelHandlerContext) {
    request?.cancel()
    answer?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      request?.cancel()
      request = close(after: patience.body, context)
      // What workers send is as large as a model; it may take as long as it keeps coming.
      isFile = head.method == .put && head.path?.hasPrefix("/api/v1/work/") == true
      received = 0
    case .body(let part):
      guard isFile else { break }
      received += part.readableBytes
      if received >= Self.leastPart {
        received = 0
        request?.cancel()
        request = close(after: patience.body, context)
      }
    case .end:
      request?.cancel()
      request = nil
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) {
      request?.cancel()
      request = close(after: patience.head, context)
    }
    context.write(data, promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    answer?.cancel()
    answer = context.channel.isWritable ? nil : close(after: patience.answer, context)
    context.fireChannelWritabilityChanged()
  }

  private func close(after time: Duration, _ context: ChannelHandlerContext) -> Scheduled<Void> {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: TimeAmount(time)) { channel.close(mode: .all, promise: nil) }
  }
}
