// The API's part about models: versions, files, which one is in use.

import Foundation
import HTTPTypes
import Hummingbird

/// `/api/v1/models`.
struct ModelInterface: Sendable {
  let parts: ServiceParts

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("models") { _, context in
      let versions = try await parts.models.versions(for: try context.viewer)
      return JSONResponse(["versions": .array(versions.map { $0.json(parts.catalogue) })])
    }
    router.get("models/:name") { _, context in
      let viewer = try context.viewer
      let name = try context.parameters.require("name")
      let versions = try await parts.models.versions(of: name, for: viewer)
      guard !versions.isEmpty else { throw ModelError.unknown(name: name) }
      return JSONResponse(["versions": .array(versions.map { $0.json(parts.catalogue) })])
    }
    router.get("models/:name/versions/:version") { _, context in answer(try await version(context)) }
    router.get("models/:name/versions/:version/files/**") { _, context in
      try await file(context.parameters.getCatchAll().joined(separator: "/"), of: try await version(context))
    }
    router.post("models/:name/versions/:version/promote") { _, context in
      let user = try context.user
      let (name, number) = try versionNamed(context)
      let version = try await parts.models.promote(number, of: name, by: user)
      context.logger.info("promoted", metadata: ["model": "\(name)", "version": "\(number)", "user": "\(user.id)"])
      return answer(version)
    }
    router.post("models/:name/roll_back") { _, context in
      let user = try context.user
      let name = try context.parameters.require("name")
      let version = try await parts.models.rollBack(name, by: user)
      context.logger.info(
        "rolled back", metadata: ["model": "\(name)", "version": "\(version.version)", "user": "\(user.id)"])
      return answer(version)
    }
    router.delete("models/:name/versions/:version") { _, context in
      let viewer = try context.viewer
      let (name, number) = try versionNamed(context)
      try await remove(number, of: name, for: viewer, context)
      return Response(status: .noContent)
    }
  }

  /// Deletes a version with its files.
  func remove(_ number: Int, of name: String, for viewer: Viewer, _ context: ServiceContext) async throws {
    let removed = try await parts.models.remove(number, of: name, for: viewer)
    parts.predictions.forget(removed)
    context.logger.info("deleted", metadata: ["model": "\(name)", "version": "\(number)"])
    // The record is gone already: what is left of the files after a crash is only a lost folder.
    try? FileManager.default.removeItem(atPath: removed.directory)
  }

  private func answer(_ version: ModelVersion) -> JSONResponse { JSONResponse(version.json(parts.catalogue)) }

  private func versionNamed(_ context: ServiceContext) throws -> (name: String, version: Int) {
    let text = try context.parameters.require("version")
    guard let number = Int(text), number > 0 else {
      throw ServiceProblem.notFound("there is no version \"\(text.prefix(40))\"; versions are numbers from 1")
    }
    return (try context.parameters.require("name"), number)
  }

  private func version(_ context: ServiceContext) async throws -> ModelVersion {
    let viewer = try context.viewer
    let (name, number) = try versionNamed(context)
    return try await parts.models.version(number, of: name, for: viewer)
  }

  /// One of the files that the version is made of, as a download: never shown by a browser as a page of this service.
  func file(_ name: String, of version: ModelVersion) async throws -> Response {
    // Only names that the training gave: no path of the request's own making reaches the disk.
    guard version.files.contains(name) else {
      throw ServiceProblem.notFound(
        "version \(version.version) of \"\(version.name)\" has no file \"\(name.prefix(100))\"; it has "
          + version.files.joined(separator: ", "))
    }
    let type = name.hasSuffix(".json") ? "application/json" : "application/octet-stream"
    let download = name.split(separator: "/").last.map(String.init) ?? "file"
    return try await FileDownload(path: "\(version.directory)/\(name)").response(
      headers: [
        .contentType: type, .contentDisposition: "attachment; filename=\"\(download)\"",
        .contentSecurityPolicy: "sandbox; default-src 'none'",
      ])
  }
}

/// A file that is sent part by part, whatever its size.
struct FileDownload: Sendable {
  let path: String

  private static let partSize = 1 << 17

  /// - Parameter range: `bytes=first-last` (RFC 9110, section 14.2): the answer is this part of the file only. Other
  ///   forms of it are answered with all of the file, as the standard allows.
  func response(headers: HTTPFields, range: String? = nil) async throws -> Response {
    guard let handle = FileHandle(forReadingAtPath: path), let size = try? handle.seekToEnd() else {
      throw ServiceProblem.notFound("the file is not there any more")
    }
    let wanted = range.flatMap { Self.range($0, size: Int(size)) }
    let bytes = wanted ?? 0..<Int(size)
    try handle.seek(toOffset: UInt64(bytes.lowerBound))
    let shared = SharedHandle(handle)
    let body = ResponseBody(contentLength: bytes.count) { writer in
      var left = bytes.count
      while left > 0, let part = try shared.handle.read(upToCount: min(left, Self.partSize)), !part.isEmpty {
        left -= part.count
        try await writer.write(ByteBuffer(data: part))
      }
      try await writer.finish(nil)
    }
    guard let wanted else { return Response(status: .ok, headers: headers, body: body) }
    var headers = headers
    headers[.contentRange] = "bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(size)"
    return Response(status: .partialContent, headers: headers, body: body)
  }

  /// A range of bytes within a file of a size.
  private static func range(_ text: String, size: Int) -> Range<Int>? {
    guard let match = text.wholeMatch(of: /bytes=([0-9]{1,18})-([0-9]{1,18})/), let first = Int(match.1),
      let last = Int(match.2), first <= last, first < size
    else { return nil }
    return first..<min(last + 1, size)
  }

  /// Used by one answer only, part after part; closed with it.
  private final class SharedHandle: @unchecked Sendable {
    let handle: FileHandle
    init(_ handle: FileHandle) { self.handle = handle }
    deinit { try? handle.close() }
  }
}
