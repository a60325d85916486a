// Where the store is: an option, the environment, or the working directory.

import ArgumentParser
import Glibc
import PreferenceStore

struct DatabaseOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("The database of items and pairs (default: $RANKER_DATABASE, or ranker.db).", valueName: "file"))
  var database: String?

  var path: String {
    if let database { return database }
    if let path = getenv("RANKER_DATABASE"), path.pointee != 0 { return String(cString: path) }
    return "ranker.db"
  }

  /// Opens the store that is there.
  func open() throws -> PreferenceStore { try PreferenceStore(path: path, isCreated: false) }

  /// Opens the store, made new where there is none.
  func openOrCreate() throws -> PreferenceStore { try PreferenceStore(path: path) }
}
