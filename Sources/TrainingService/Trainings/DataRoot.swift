// The folder that trainings may read from, and nothing outside it.

import Foundation
import Glibc

/// The folder below which data is. Paths are followed to where they lead (links, `..`) before they are judged.
public struct DataRoot: Sendable {
  /// The folder itself, every link resolved.
  public let path: String

  /// - Throws: ``DataRootError`` where there is no such folder.
  public init(_ path: String) throws(DataRootError) {
    guard let resolved = Self.resolve(path), Self.isFolder(resolved) else { throw .noFolder(path) }
    self.path = resolved
  }

  /// The path below the root of what somebody named, by a path from the root or a whole one.
  /// - Throws: ``DataRootError`` where there is nothing, or where it leads out of the root.
  public func relative(_ named: String) throws(DataRootError) -> String {
    let resolved = try absolute(named)
    return resolved == path ? "." : String(resolved.dropFirst(path == "/" ? 1 : path.count + 1))
  }

  /// Where data is, every link resolved.
  /// - Throws: ``DataRootError``.
  public func absolute(_ named: String) throws(DataRootError) -> String {
    // Paths end at a zero byte for the system, not for Swift: what was checked has to be what is opened.
    guard !named.utf8.contains(0) else { throw .outside(named) }
    let whole = named.hasPrefix("/") ? named : "\(path)/\(named)"
    guard let resolved = Self.resolve(whole) else {
      // What is not below the root does not even tell whether it is there.
      let isBelow = !named.hasPrefix("/") && !named.split(separator: "/").contains("..")
      throw isBelow ? .missing(named) : .outside(named)
    }
    guard resolved == path || resolved.hasPrefix(path == "/" ? "/" : path + "/") else { throw .outside(named) }
    return resolved
  }

  /// Requires that nothing in a folder leads out of the root, two floors down: trainings that are given a folder open
  /// files in it, and in its folders.
  /// - Throws: ``DataRootError``.
  public func checkFolder(_ named: String) throws(DataRootError) {
    let place = try absolute(named)
    guard Self.isFolder(place) else { return }
    for folder in [named] + Self.names(in: place).map({ "\(named)/\($0)" }) {
      guard let place = try whereThere(folder), Self.isFolder(place) else { continue }
      for name in Self.names(in: place) { _ = try whereThere("\(folder)/\(name)") }
    }
  }

  /// Where something is; nil where it has just gone, or a link leads nowhere.
  private func whereThere(_ named: String) throws(DataRootError) -> String? {
    do { return try absolute(named) } catch {
      if case .missing = error { return nil }
      throw error
    }
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  /// An entry of a folder below the root.
  public struct Entry: Sendable, Hashable {
    public let name: String
    /// Below the root.
    public let path: String
    public let isFolder: Bool
    public let size: Int64

    public init(name: String, path: String, isFolder: Bool, size: Int64) {
      self.name = name
      self.path = path
      self.isFolder = isFolder
      self.size = size
    }
  }

  /// What a folder holds: folders first, each kind by name. Hidden files and what leads out of the root are left out.
  /// - Throws: ``DataRootError``.
  public func entries(of folder: String) throws(DataRootError) -> [Entry] {
    let place = try absolute(folder.isEmpty ? "." : folder)
    guard Self.isFolder(place), let names = try? FileManager.default.contentsOfDirectory(atPath: place) else {
      throw .noFolder(folder)
    }
    var entries: [Entry] = []
    for name in names where !name.hasPrefix(".") {
      guard let below = try? relative("\(place)/\(name)") else { continue }
      var status = stat()
      guard stat("\(path)/\(below)", &status) == 0 else { continue }
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      guard isFolder || status.st_mode & S_IFMT == S_IFREG else { continue }
      entries.append(Entry(name: name, path: below, isFolder: isFolder, size: Int64(status.st_size)))
    }
    return entries.sorted { ($0.isFolder ? 0 : 1, $0.name) < ($1.isFolder ? 0 : 1, $1.name) }
  }

  private static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

/// Why data can't be read from a path.
public enum DataRootError: Error, Sendable, Hashable, CustomStringConvertible {
  case noFolder(String)
  case missing(String)
  case outside(String)

  public var description: String {
    switch self {
    case .noFolder(let path): "there is no folder \(path)"
    case .missing(let path): "there is nothing at \"\(path.prefix(200))\" in the data folder"
    case .outside(let path):
      "\"\(path.prefix(200))\" is not within the data folder; name a file or folder by its path from there"
    }
  }
}
