// Rewrites of a program that let one kernel do what several nodes ask for.

import ONNX

/// Joins nodes that one pass over memory can serve.
enum Fusion {
  static func apply(to program: inout Program) {}
}
