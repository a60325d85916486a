#include <stdint.h>
#include <sys/time.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

// What Swift can't call: functions that take any number of arguments, and macros with casts in them.

static inline amqp_rpc_reply_t rabbitmq_login(amqp_connection_state_t connection, const char *host, int heartbeat,
                                              const char *user, const char *password) {
  return amqp_login(connection, host, 0, 131072, heartbeat, AMQP_SASL_METHOD_PLAIN, user, password);
}

// The number of a frame's method; 0 where the frame is none.
static inline uint32_t rabbitmq_method(const amqp_frame_t *frame) {
  return frame->frame_type == AMQP_FRAME_METHOD ? frame->payload.method.id : 0;
}

static const uint32_t rabbitmq_ack = AMQP_BASIC_ACK_METHOD;

// What the broker says when it closes a channel or a connection; nothing where the reply is another.
static inline amqp_bytes_t rabbitmq_reason(amqp_rpc_reply_t reply) {
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) return ((amqp_channel_close_t *)reply.reply.decoded)->reply_text;
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
      return ((amqp_connection_close_t *)reply.reply.decoded)->reply_text;
  }
  return amqp_empty_bytes;
}
