// The rules by which a gradient changes a parameter.

/// How parameters follow their gradients. All of them match PyTorch's arithmetic for dense gradients.
///
/// Row gradients of embedding tables update only the rows that a batch named (as `torch.optim.SparseAdam` does):
/// moments and weight decay of the other rows wait, so that a step's cost does not grow with the table.
public enum Optimizer: Sendable, Hashable {
  /// Kingma and Ba 2015: `m ← β₁m + (1-β₁)g`, `v ← β₂v + (1-β₂)g²`,
  /// `p ← p - lr · m̂ / (√v̂ + ε)`; weight decay adds `λp` to `g`.
  case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0)
  /// Loshchilov and Hutter 2019: Adam whose weight decay shrinks `p` by `lr · λ` outside the moments.
  case adamW(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0.01)
  /// `b ← μb + g`, `p ← p - lr · b` (`nesterov`: `lr · (g + μb)`); weight decay adds `λp` to `g`.
  case sgd(momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0)

  /// The number of tensors of a parameter's shape that the rule keeps beside it.
  var momentCount: Int {
    switch self {
    case .adam, .adamW: 2
    case .sgd(let momentum, _, _): momentum == 0 ? 0 : 1
    }
  }

  /// The same rule without weight decay, for biases and normalisation parameters.
  var withoutDecay: Optimizer {
    switch self {
    case .adam(let beta1, let beta2, let epsilon, _): .adam(beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .adamW(let beta1, let beta2, let epsilon, _):
      .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: 0)
    case .sgd(let momentum, let nesterov, _): .sgd(momentum: momentum, nesterov: nesterov)
    }
  }
}
