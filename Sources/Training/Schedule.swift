// How the learning rate runs over a training.

import Glibc

/// The learning rate as a function of the step.
public enum Schedule: Sendable, Hashable {
  case constant
  /// Rises from 0 over `warmup` steps, then falls to 0 at `total`, both linearly.
  case linear(warmup: Int, total: Int)
  /// Rises over `warmup` steps, then follows half a cosine down to 0 at `total` (Loshchilov and Hutter 2017).
  case cosine(warmup: Int, total: Int)

  /// The factor of the base learning rate at a step, counted from 0.
  public func factor(at step: Int) -> Float {
    switch self {
    case .constant: return 1
    case .linear(let warmup, let total), .cosine(let warmup, let total):
      if step < warmup { return Float(step) / Float(max(warmup, 1)) }
      let progress = min(Float(step - warmup) / Float(max(total - warmup, 1)), 1)
      if case .cosine = self { return 0.5 * (1 + cosf(.pi * progress)) }
      return 1 - progress
    }
  }
}
