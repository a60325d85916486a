// The files of a tokenizer as Hugging Face lays them out: what they say, before it is judged.

import CSimdJSON
import Files
import Foundation

/// What `tokenizer_config.json` and `special_tokens_map.json` say of a WordPiece tokenizer.
struct ConfigurationFile: Codable {
  var doLowerCase: Bool?
  var stripAccents: Bool?
  var tokenizeChineseChars: Bool?
  var unkToken: TokenName?
  var clsToken: TokenName?
  var sepToken: TokenName?
  var padToken: TokenName?
  var maskToken: TokenName?
  var additionalSpecialTokens: [TokenName]?
  /// `transformers` writes 10³⁰ where nothing is known.
  var modelMaxLength: Double?
  var tokenizerClass: String?
  /// Tokens by their ids.
  var addedTokensDecoder: [String: AddedToken]?
}

/// What `tokenizer.json` says, its vocabulary apart.
struct PipelineFile: Decodable {
  struct Model: Decodable {
    var type: String?
    var unkToken: String?
    var continuingSubwordPrefix: String?
    var maxInputCharsPerWord: Int?
  }

  struct Normalizer: Decodable {
    var type: String
    var cleanText: Bool?
    var handleChineseChars: Bool?
    var stripAccents: Bool?
    var lowercase: Bool?
  }

  struct PreTokenizer: Decodable {
    var type: String
  }

  var addedTokens: [AddedToken]?
  var normalizer: Normalizer?
  var preTokenizer: PreTokenizer?
  var model: Model
}

/// A token that is looked for in the text before it is normalized.
struct AddedToken: Codable {
  var id: Int?
  var content: String
  var singleWord: Bool?
  var normalized: Bool?
}

/// A token's text, written alone or as an object with settings around it.
struct TokenName: Codable {
  var content: String

  init(_ content: String) { self.content = content }

  init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      content = text
    } else {
      content = try AddedToken(from: decoder).content
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(content)
  }
}

/// Reads a JSON file as a type; nil where there is no file.
func readJSON<Content: Decodable>(_ type: Content.Type, _ path: String) throws(TokenizationError) -> Content? {
  guard let file = try mapIfPresent(path) else { return nil }
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  do {
    return try decoder.decode(type, from: file.withUnsafeBytes { Data($0) })
  } catch let error as DecodingError {
    throw malformed(path, error)
  } catch {
    throw .malformed(path: path, place: "the file", found: "damaged JSON (\(error))", expected: "one JSON object")
  }
}

private func mapIfPresent(_ path: String) throws(TokenizationError) -> MappedFile? {
  do throws(FileError) {
    return try MappedFile(path: path)
  } catch {
    if error.code == ENOENT { return nil }
    throw .file(error)
  }
}

private func malformed(_ path: String, _ error: DecodingError) -> TokenizationError {
  func place(_ context: DecodingError.Context) -> String {
    let keys = context.codingPath.map { $0.intValue.map { "element \($0 + 1)" } ?? "\"\(inFile($0.stringValue))\"" }
    return keys.isEmpty ? "the file" : keys.joined(separator: ", ")
  }
  switch error {
  case .typeMismatch(let type, let context):
    return .malformed(path: path, place: place(context), found: "another kind of value", expected: kind(type))
  case .valueNotFound(let type, let context):
    return .malformed(path: path, place: place(context), found: "null", expected: kind(type))
  case .keyNotFound(let key, let context):
    return .malformed(path: path, place: place(context), found: "no \"\(key.stringValue)\"", expected: "one")
  case .dataCorrupted(let context):
    return .malformed(path: path, place: place(context), found: "damaged JSON", expected: "one JSON object in UTF-8")
  @unknown default: return .malformed(path: path, place: "the file", found: "damaged JSON", expected: "one JSON object")
  }
}

/// A property's name as the files write it: do_lower_case for doLowerCase.
private func inFile(_ name: String) -> String {
  name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
}

private func kind(_ type: Any.Type) -> String {
  switch type {
  case is String.Type: "a text"
  case is Bool.Type: "true or false"
  case is Double.Type, is Int.Type: "a number"
  case is [Any].Type: "an array"
  default: "an object"
  }
}

/// The tokens of the object `model.vocab` of a `tokenizer.json`, by their ids.
///
/// Not with Foundation: its dictionaries take keys as equal where Unicode does, and a vocabulary may have é in one
/// piece and in two.
func readPipelineVocabulary(_ path: String) throws(TokenizationError) -> TokenBytes {
  guard let file = try mapIfPresent(path), let parser = csimdjson_parser_create(file.count, 64) else {
    throw .file(FileError(path: path, action: "parse", code: ENOMEM))
  }
  defer { csimdjson_parser_destroy(parser) }
  var root = csimdjson_value()
  let isParsed = file.withUnsafeBytes { bytes in
    guard let start = bytes.baseAddress, let room = csimdjson_reserve(parser, bytes.count) else { return false }
    memcpy(room, start, bytes.count)
    return csimdjson_parse(parser, bytes.count, &root) == CSIMDJSON_OK
  }
  guard isParsed else {
    throw .malformed(path: path, place: "the file", found: "damaged JSON", expected: "one JSON object in UTF-8")
  }
  guard let model = field("model", of: root), let vocabulary = field("vocab", of: model) else {
    throw .malformed(path: path, place: "\"model\"", found: "no \"vocab\"", expected: "one: the tokens with their ids")
  }
  var tokens: [Int64: [UInt8]] = [:]
  var cursor = csimdjson_cursor()
  guard csimdjson_value_kind(vocabulary) == CSIMDJSON_OBJECT, csimdjson_open(vocabulary, &cursor) else {
    throw .malformed(
      path: path, place: "\"model\", \"vocab\"", found: "another kind of value", expected: "tokens with their ids")
  }
  var key: UnsafePointer<CChar>?
  var count = 0
  var value = csimdjson_value()
  while csimdjson_next_field(&cursor, &key, &count, &value) {
    let token = [UInt8](UnsafeRawBufferPointer(start: key, count: count))
    var id: Int64 = -1
    let place = "\"model\", \"vocab\", \"\(String(decoding: token, as: UTF8.self))\""
    guard csimdjson_value_integer(value, &id), id >= 0 else {
      throw .malformed(path: path, place: place, found: "no whole number of 0 or more", expected: "the token's id")
    }
    if let other = tokens.updateValue(token, forKey: id) {
      throw .malformed(
        path: path, place: place, found: "id \(id), which \"\(String(decoding: other, as: UTF8.self))\" has",
        expected: "an id of its own")
    }
  }
  var ordered = TokenBytes()
  for id in 0..<Int64(tokens.count) {
    guard let token = tokens[id] else {
      throw .malformed(
        path: path, place: "\"model\", \"vocab\"", found: "\(tokens.count) tokens and no id \(id)",
        expected: "ids from 0 on without a gap")
    }
    ordered.append(token)
  }
  return ordered
}

private func field(_ name: String, of object: csimdjson_value) -> csimdjson_value? {
  var cursor = csimdjson_cursor()
  guard csimdjson_value_kind(object) == CSIMDJSON_OBJECT, csimdjson_open(object, &cursor) else { return nil }
  var key: UnsafePointer<CChar>?
  var count = 0
  var value = csimdjson_value()
  while csimdjson_next_field(&cursor, &key, &count, &value) {
    if UnsafeRawBufferPointer(start: key, count: count).elementsEqual(name.utf8) { return value }
  }
  return nil
}
