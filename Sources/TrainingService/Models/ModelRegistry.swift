// Models and their versions: what trainings made, which one is in use.

import Foundation

/// One version of a model.
public struct ModelVersion: Sendable, Hashable {
  public let id: Int64
  public let ownerID: Int64
  public let owner: String
  public let name: String
  public let version: Int
  public let jobID: String
  public let kind: String
  public let directory: String
  public let files: [String]
  /// The training's last line.
  public let metrics: JSONValue
  public let createdAt: Moment
  /// Whether predictions are made with it.
  public let isPromoted: Bool

  init(_ row: SQLRow) throws {
    id = row.integer("id")
    ownerID = row.integer("owner_id")
    owner = row.text("owner")
    name = row.text("name")
    version = row.int("version")
    jobID = row.text("job_id")
    kind = row.text("kind")
    directory = row.text("directory")
    files = try row.json("files").array?.compactMap(\.string) ?? []
    metrics = try row.json("metrics")
    createdAt = row.moment("created_at")
    isPromoted = row.optionalInteger("promoted_id") == id
  }

  /// The versions that are there, with the promoted one of their name.
  static let selection = """
    SELECT model_versions.*, users.email AS owner, (
      SELECT version_id FROM promotions WHERE promotions.owner_id = model_versions.owner_id
        AND promotions.name = model_versions.name AND withdrawn_at IS NULL ORDER BY promotions.id DESC LIMIT 1
    ) AS promoted_id
    FROM model_versions JOIN users ON users.id = model_versions.owner_id
    """
}

/// Why a model is not found or not changed.
public enum ModelError: Error, Sendable, Hashable {
  case unknown(name: String)
  case unknownVersion(name: String, version: Int)
  case isPromoted(name: String, version: Int)
  case nothingToRollBack(name: String)
  case notPromoted(name: String)
}

extension ModelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown(let name): "there is no model \"\(name)\""
    case .unknownVersion(let name, let version): "there is no version \(version) of \"\(name)\""
    case .isPromoted(let name, let version):
      "version \(version) of \"\(name)\" is in use; promote another one before it is deleted"
    case .nothingToRollBack(let name): "no version of \"\(name)\" was in use before the present one"
    case .notPromoted(let name): "no version of \"\(name)\" is in use; promote one first"
    }
  }
}

/// The record of all models. A model is named by its owner and its name; versions count from 1.
public struct ModelRegistry: Sendable {
  let store: ServiceStore

  public init(_ store: ServiceStore) { self.store = store }

  /// The newest versions of all models, or all versions of one, newest first.
  public func versions(of name: String? = nil, for viewer: Viewer) async throws -> [ModelVersion] {
    try await store.read { transaction in
      try transaction.rows(
        """
        \(ModelVersion.selection)
        WHERE ($1 = 1 OR model_versions.owner_id = $2) AND ($3 = '' OR model_versions.name = $3)
          AND model_versions.removed_at IS NULL ORDER BY model_versions.id DESC
        """, SQLValue(viewer.seesAll), SQLValue(viewer.userID), .text(name ?? "")
      ).map(ModelVersion.init)
    }
  }

  /// One version.
  /// - Throws: ``ModelError`` also where it is another account's.
  public func version(_ version: Int, of name: String, for viewer: Viewer) async throws -> ModelVersion {
    try await store.read { try Self.version(version, of: name, for: viewer, in: $0) }
  }

  /// The version that is in use.
  public func promoted(_ name: String, for viewer: Viewer) async throws -> ModelVersion {
    let found = try await store.read { transaction in
      // Asked before each prediction: the one row, of however many versions.
      try transaction.rows(
        """
        SELECT * FROM (\(ModelVersion.selection)
          WHERE ($1 = 1 OR model_versions.owner_id = $2) AND model_versions.name = $3
            AND model_versions.removed_at IS NULL) AS named
        WHERE id = promoted_id
        """, SQLValue(viewer.seesAll), SQLValue(viewer.userID), .text(name)
      ).map(ModelVersion.init)
    }
    let own = found.first { $0.ownerID == viewer.userID }
    // An administrator's own model comes before another's of the same name, also where it is not in use.
    if let own { return own }
    let versions = try await versions(of: name, for: viewer)
    guard !versions.isEmpty else { throw ModelError.unknown(name: name) }
    guard let promoted = Self.own(versions, viewer).first(where: \.isPromoted) else {
      throw ModelError.notPromoted(name: name)
    }
    return promoted
  }

  /// Puts a version into use.
  public func promote(_ version: Int, of name: String, by user: User) async throws -> ModelVersion {
    try await store.write(durably: true) { [now = store.now] transaction in
      let found = try Self.version(version, of: name, for: Viewer(user), in: transaction)
      if !found.isPromoted {
        try transaction.execute(
          """
          INSERT INTO promotions (version_id, owner_id, name, promoted_by, promoted_at) VALUES ($1, $2, $3, $4, $5)
          """, SQLValue(found.id), SQLValue(found.ownerID), .text(name), SQLValue(user.id), SQLValue(now))
      }
      return try Self.version(version, of: name, for: Viewer(user), in: transaction)
    }
  }

  /// Puts the version into use that was so before the present one.
  public func rollBack(_ name: String, by user: User) async throws -> ModelVersion {
    try await store.write(durably: true) { [now = store.now] transaction in
      let viewer = Viewer(user)
      let all = try transaction.rows(
        "\(ModelVersion.selection) WHERE ($1 = 1 OR model_versions.owner_id = $2) AND model_versions.name = $3 "
          + "ORDER BY model_versions.id DESC", SQLValue(viewer.seesAll), SQLValue(viewer.userID), .text(name)
      ).map(ModelVersion.init)
      guard let present = Self.own(all, viewer).first(where: \.isPromoted) else {
        throw all.isEmpty ? ModelError.unknown(name: name) : ModelError.notPromoted(name: name)
      }
      let history = try transaction.rows(
        """
        SELECT promotions.id, model_versions.version, model_versions.removed_at FROM promotions
        JOIN model_versions ON model_versions.id = promotions.version_id
        WHERE promotions.owner_id = $1 AND promotions.name = $2 AND withdrawn_at IS NULL ORDER BY promotions.id DESC
        """, SQLValue(present.ownerID), .text(name))
      // Versions deleted since, and the present one promoted twice in a row, are no way back.
      guard
        let back = history.dropFirst().first(where: {
          $0.optionalInteger("removed_at") == nil && $0.int("version") != present.version
        })
      else { throw ModelError.nothingToRollBack(name: name) }
      try transaction.execute(
        "UPDATE promotions SET withdrawn_at = $1 WHERE owner_id = $2 AND name = $3 AND id > $4", SQLValue(now),
        SQLValue(present.ownerID), .text(name), SQLValue(back.integer("id")))
      return try Self.version(back.int("version"), of: name, for: viewer, in: transaction)
    }
  }

  /// Takes a version out of the record; its files are the caller's to remove.
  /// - Throws: `ModelError.isPromoted` where it is in use.
  public func remove(_ version: Int, of name: String, for viewer: Viewer) async throws -> ModelVersion {
    try await store.write(durably: true) { [now = store.now] transaction in
      let found = try Self.version(version, of: name, for: viewer, in: transaction)
      guard !found.isPromoted else { throw ModelError.isPromoted(name: name, version: version) }
      try transaction.execute(
        "UPDATE model_versions SET removed_at = $1 WHERE id = $2", SQLValue(now), SQLValue(found.id))
      return found
    }
  }

  /// The next version of the job's model.
  static func register(
    _ result: AttemptResult, of job: Job, at now: Moment, in transaction: Transaction
  ) throws {
    try transaction.execute(
      """
      INSERT INTO model_versions (owner_id, name, version, job_id, kind, directory, files, metrics, created_at)
      VALUES ($1, $2, (
        SELECT COALESCE(MAX(version), 0) + 1 FROM model_versions WHERE owner_id = $1 AND name = $2
      ), $3, $4, $5, $6, $7, $8)
      """, SQLValue(job.ownerID), .text(job.modelName), .text(job.id), .text(job.kind), .text(result.directory),
      SQLValue(.array(result.files.map(JSONValue.string))), SQLValue(result.metrics), SQLValue(now))
  }

  private static func version(
    _ version: Int, of name: String, for viewer: Viewer, in transaction: Transaction
  ) throws -> ModelVersion {
    let rows = try transaction.rows(
      """
      \(ModelVersion.selection) WHERE ($1 = 1 OR model_versions.owner_id = $2) AND model_versions.name = $3
        AND model_versions.version = $4 AND model_versions.removed_at IS NULL
      """, SQLValue(viewer.seesAll), SQLValue(viewer.userID), .text(name), SQLValue(version))
    guard let found = own(try rows.map(ModelVersion.init), viewer).first else {
      throw ModelError.unknownVersion(name: name, version: version)
    }
    return found
  }

  /// An administrator's own model comes before another's of the same name.
  private static func own(_ versions: [ModelVersion], _ viewer: Viewer) -> [ModelVersion] {
    let own = versions.filter { $0.ownerID == viewer.userID }
    return own.isEmpty ? versions : own
  }
}
