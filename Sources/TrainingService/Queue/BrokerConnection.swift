// One connection to RabbitMQ with one channel, by librabbitmq, whose calls block.

import CRabbitMQ
import Foundation
import Glibc

/// A connection, to be used by one thread. Whatever it throws, it is of no use any more then.
final class BrokerConnection {
  /// Messages are ids of jobs. The queue outlives the broker's restart; what no worker can read goes to `dead`.
  static let tasks = "training_tasks"
  static let dead = "training_tasks.dead"

  private let state: amqp_connection_state_t
  private let channel: amqp_channel_t = 1
  /// Numbers of the last message that was published, and of the last that was confirmed.
  private var lastPublished: UInt64 = 0
  private var confirmed: UInt64 = 0
  private var isConsuming = false

  /// Seconds: a broker that is silent for two of these is gone, and so is a client.
  private static let heartbeat: Int32 = 20
  private static let patience = 20

  /// Connects, signs in, and makes sure that the queues are there.
  init(_ address: BrokerAddress) throws {
    state = amqp_new_connection()
    var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
    amqp_set_rpc_timeout(state, &patience)
    amqp_set_handshake_timeout(state, &patience)
    guard let socket = amqp_tcp_socket_new(state) else { throw BrokerError.away("there is no memory for a socket") }
    var wait = timeval(tv_sec: 5, tv_usec: 0)
    let opened = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &wait)
    guard opened == AMQP_STATUS_OK.rawValue else { throw BrokerError.away("\(address): \(Self.words(opened))") }
    try check(
      rabbitmq_login(state, address.virtualHost, Self.heartbeat, address.user, address.password),
      "signing in to \(address)")
    amqp_channel_open(state, channel)
    try check("opening a channel")
    try declare()
  }

  deinit {
    // Says goodbye where somebody listens, and closes the socket.
    var moment = timeval(tv_sec: 1, tv_usec: 0)
    amqp_set_rpc_timeout(state, &moment)
    amqp_connection_close(state, AMQP_REPLY_SUCCESS)
    amqp_destroy_connection(state)
  }

  private func declare() throws {
    try Self.dead.withBytes { dead in
      "fanout".withBytes { _ = amqp_exchange_declare(state, channel, dead, $0, 0, 1, 0, 0, amqp_empty_table) }
      try check("declaring the exchange \(Self.dead)")
      amqp_queue_declare(state, channel, dead, 0, 1, 0, 0, amqp_empty_table)
      try check("declaring the queue \(Self.dead)")
      amqp_queue_bind(state, channel, dead, dead, amqp_empty_bytes, amqp_empty_table)
      try check("binding the queue \(Self.dead)")
      try Self.tasks.withBytes { tasks in
        try "x-dead-letter-exchange".withBytes { key in
          var value = amqp_field_value_t()
          value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
          value.value.bytes = dead
          var entry = amqp_table_entry_t(key: key, value: value)
          try withUnsafeMutablePointer(to: &entry) { entry in
            amqp_queue_declare(
              state, channel, tasks, 0, 1, 0, 0, amqp_table_t(num_entries: 1, entries: entry))
            try check("declaring the queue \(Self.tasks)")
          }
        }
      }
    }
  }

  // Consuming

  /// Has messages sent here, one at a time: the next one when the last was settled. Nothing where they are sent already.
  func consume() throws {
    guard !isConsuming else { return }
    isConsuming = true
    amqp_basic_qos(state, channel, 0, 1, 0)
    try check("limiting messages to one at a time")
    try Self.tasks.withBytes {
      amqp_basic_consume(state, channel, $0, amqp_empty_bytes, 0, 0, 0, amqp_empty_table)
      try check("consuming from \(Self.tasks)")
    }
  }

  struct Delivery: Sendable {
    let tag: UInt64
    let body: [UInt8]
  }

  /// A message that has come; nil where there is none. Heartbeats are answered and sent meanwhile, so it is called at
  /// least once a second.
  func receive() throws -> Delivery? {
    amqp_maybe_release_buffers(state)
    var envelope = amqp_envelope_t()
    var moment = timeval(tv_sec: 0, tv_usec: 0)
    let reply = amqp_consume_message(state, &envelope, &moment, 0)
    if reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION, reply.library_error == AMQP_STATUS_TIMEOUT.rawValue {
      return nil
    }
    try check(reply, "receiving")
    defer { amqp_destroy_envelope(&envelope) }
    let body = envelope.message.body
    return Delivery(
      tag: envelope.delivery_tag, body: Array(UnsafeRawBufferPointer(start: body.bytes, count: body.len)))
  }

  func acknowledge(_ tag: UInt64) throws { try check(amqp_basic_ack(state, channel, tag, 0), "acknowledging") }

  /// Sends a message to the dead letters.
  func reject(_ tag: UInt64) throws { try check(amqp_basic_reject(state, channel, tag, 0), "rejecting") }

  /// Waits until something has come or `wake` is written to, a second at most.
  func wait(orFor wake: Int32) {
    guard amqp_data_in_buffer(state) == 0, amqp_frames_enqueued(state) == 0 else { return }
    var requests = [amqp_get_sockfd(state), wake].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    poll(&requests, 2, 1000)
  }

  // Publishing

  /// Has the broker confirm each message.
  func confirm() throws {
    amqp_confirm_select(state, channel)
    try check("asking for confirmations")
  }

  struct Message: Sendable {
    let id: String
    let body: [UInt8]
    let isDead: Bool
  }

  /// Publishes messages; when it returns, the broker has all of them on its disk.
  func publish(_ messages: [Message]) throws {
    guard !messages.isEmpty else { return }
    for message in messages {
      let (exchange, key) = message.isDead ? (Self.dead, "") : ("", Self.tasks)
      try message.id.withBytes { id in
        try "application/json".withBytes { type in
          var properties = amqp_basic_properties_t()
          properties._flags =
            UInt32(AMQP_BASIC_CONTENT_TYPE_FLAG) | UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG)
            | UInt32(AMQP_BASIC_MESSAGE_ID_FLAG)
          properties.content_type = type
          properties.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
          properties.message_id = id
          let sent = exchange.withBytes { exchange in
            key.withBytes { key in
              String(decoding: message.body, as: UTF8.self).withBytes { body in
                amqp_basic_publish(state, channel, exchange, key, 0, 0, &properties, body)
              }
            }
          }
          try check(sent, "publishing")
        }
      }
      lastPublished += 1
    }
    try awaitConfirmation(of: lastPublished)
  }

  private func awaitConfirmation(of last: UInt64) throws {
    var open = Set((confirmed + 1)...last)
    while !open.isEmpty {
      amqp_maybe_release_buffers(state)
      var frame = amqp_frame_t()
      var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
      try check(amqp_simple_wait_frame_noblock(state, &frame, &patience), "waiting for a confirmation")
      guard rabbitmq_method(&frame) == rabbitmq_ack else {
        throw BrokerError.away("it did not confirm a message")
      }
      let acknowledgement = frame.payload.method.decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
      let tag = acknowledgement.delivery_tag
      if acknowledgement.multiple != 0 { open = open.filter { $0 > tag } } else { open.remove(tag) }
    }
    confirmed = last
  }

  /// How many messages wait in the queue of tasks, those aside that workers have.
  func waitingCount() throws -> Int {
    try Self.tasks.withBytes { tasks in
      let answer = amqp_queue_declare(state, channel, tasks, 1, 1, 0, 0, amqp_empty_table)
      try check("looking at the queue")
      return Int(answer!.pointee.message_count)
    }
  }

  // Answers

  private func check(_ action: String) throws { try check(amqp_get_rpc_reply(state), action) }

  private func check(_ status: Int32, _ action: String) throws {
    guard status == AMQP_STATUS_OK.rawValue else { throw BrokerError.away("\(action): \(Self.words(status))") }
  }

  private func check(_ reply: amqp_rpc_reply_t, _ action: String) throws {
    switch reply.reply_type {
    case AMQP_RESPONSE_NORMAL: return
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      let reason = rabbitmq_reason(reply)
      let text = String(decoding: UnsafeRawBufferPointer(start: reason.bytes, count: reason.len), as: UTF8.self)
      throw BrokerError.refused("\(action): \(text.isEmpty ? "without a reason" : text)")
    default: throw BrokerError.away("\(action): \(Self.words(reply.library_error))")
    }
  }

  private static func words(_ status: Int32) -> String { String(cString: amqp_error_string2(status)) }
}

extension String {
  /// The text's bytes for the library, for as long as `body` runs.
  fileprivate func withBytes<Value>(_ body: (amqp_bytes_t) throws -> Value) rethrows -> Value {
    var text = self
    return try text.withUTF8 { bytes in
      try body(amqp_bytes_t(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress)))
    }
  }
}
