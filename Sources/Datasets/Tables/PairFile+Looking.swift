// Whether a file holds pairs, seen by its first bytes.

extension PairFile {
  /// Whether a file begins like one of pairs: JSON with the key `item_a`. False for a pipe, which can be read only once,
  /// and for what is no file.
  public static func seemsToBe(_ path: String) throws(DatasetError) -> Bool {
    guard path != "-" else { return false }
    let file = try DataFile(path: path)
    guard file.kind == .json, case let text = try file.text(), !text.isPipe else { return false }
    let key = Array("\"item_a\"".utf8)
    var position = 0
    while position + key.count < text.head.count {
      if text.head[position] == key[0], text.head[position..<position + key.count].elementsEqual(key),
        text.head[(position + key.count)...].first(where: { !$0.isJSONWhitespace }) == UInt8(ascii: ":")
      {
        return true
      }
      position += 1
    }
    return false
  }
}
