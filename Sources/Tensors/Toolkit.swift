// What the toolkit calls itself in the files that it writes.

/// The name and version that written models and metadata carry.
public enum Toolkit {
  public static let name = "rankerkit"
  public static let version = "0.1.0"
}
