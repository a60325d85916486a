// In which numbers a trained graph is written.

/// The precision of an exported graph.
public enum ExportPrecision: String, Sendable, Hashable, CaseIterable {
  /// Single precision, as it was trained.
  case float32
  /// Single precision, and beside it a graph with dense layers and tables in 8 bits.
  case int8
}
