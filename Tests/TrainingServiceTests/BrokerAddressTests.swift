import Testing
import TrainingService

@Suite("The address of a RabbitMQ")
struct BrokerAddressTests {
  @Test(
    "is told without its password, and fills in what it does not say",
    arguments: [
      ("amqp://ranker:secret@rabbit.example.org:5673/shop", "amqp://ranker@rabbit.example.org:5673/shop"),
      ("amqp://ranker:secret@rabbit.example.org", "amqp://ranker@rabbit.example.org:5672"),
      ("amqp://rabbit.example.org/%2F", "amqp://guest@rabbit.example.org:5672"),
      ("amqp://ranker:s%40cret@[::1]:5672", "amqp://ranker@[::1]:5672"),
      ("amqp://", "amqp://guest@fallback:5672"),
      ("amqp://ranker:secret@/shop", "amqp://ranker@fallback:5672/shop"),
    ])
  func describes(_ text: String, _ described: String) throws {
    #expect(try BrokerAddress(text, host: "fallback").description == described)
  }

  @Test(
    "is refused where it is none",
    arguments: ["", "rabbit", "http://rabbit", "amqp://rabbit/a/b", "amqp://rabbit:99999"])
  func refuses(_ text: String) {
    #expect(throws: BrokerError.notAnAddress) { try BrokerAddress(text) }
  }

  @Test("is not of an encrypted connection, which a tunnel makes")
  func refusesEncryption() {
    #expect(throws: BrokerError.encryptionIsAProxys) { try BrokerAddress("amqps://rabbit") }
  }
}
