// Functions of one number with their derivatives: one struct each, which is all that such an operator is.

import CKernels
import ONNX

/// A function of one floating-point number.
protocol UnaryFunction: Sendable {
  /// - Parameter node: where the function's attributes are.
  init(_ node: Node)
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T
  /// Whether it takes long enough to share short loops among threads.
  static var isTranscendental: Bool { get }
  /// The C loop of it over floats, which serves the gradient too where there is one.
  var vectorised: VectorisedFunction? { get }
}

extension UnaryFunction {
  static var isTranscendental: Bool { true }
  var vectorised: VectorisedFunction? { nil }
}

/// A function that has a C loop, with its parameters.
struct VectorisedFunction {
  let function: rk_function
  var p: Float = 0
  var q: Float = 0

  init(_ function: rk_function, _ p: Float = 0, _ q: Float = 0) {
    self.function = function
    self.p = p
    self.q = q
  }

  func map(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ range: Range<Int>) {
    rk_apply(function, range.count, x + range.lowerBound, y + range.lowerBound, p, q)
  }

  /// `remembered` is what `rk_gradient_reads` says: the input or the output.
  func mapGradient(
    _ dy: UnsafePointer<Float>, _ remembered: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>,
    _ range: Range<Int>
  ) {
    let start = range.lowerBound
    rk_apply_gradient(function, range.count, dy + start, remembered + start, dx + start, p, q)
  }
}

/// A function whose gradient follows from one value that the forward pass left: its input or its output.
protocol DifferentiableFunction: UnaryFunction {
  static var remembered: Remembered { get }
  /// `dx`, from the output's gradient and the remembered value.
  func gradient(_ dy: Float, _ remembered: Float) -> Float
}

/// What a function's gradient needs to know of the forward pass. The output where that serves: then the input's memory
/// is free as soon as the function has run.
enum Remembered { case input, output }

/// A function without attributes.
protocol PlainFunction: UnaryFunction {
  init()
}

extension PlainFunction {
  init(_ node: Node) { self.init() }
}

struct SqrtFunction: PlainFunction, DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.output
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_square_root) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x.squareRoot() }
  func gradient(_ dy: Float, _ y: Float) -> Float { dy / (2 * y) }
}

struct ReciprocalFunction: PlainFunction, DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.output
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_reciprocal) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { 1 / x }
  func gradient(_ dy: Float, _ y: Float) -> Float { -dy * y * y }
}

struct ExpFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.output
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_exponential) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.exp(x) }
  func gradient(_ dy: Float, _ y: Float) -> Float { dy * y }
}

struct LogFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_logarithm) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.log(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / x }
}

struct ErfFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_erf) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.erf(x) }
  /// The derivative is `2/√π · exp(-x²)`.
  func gradient(_ dy: Float, _ x: Float) -> Float { dy * 1.128_379_2 * Float.exp(-x * x) }
}

struct TanhFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.output
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_tanh) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.tanh(x) }
  func gradient(_ dy: Float, _ y: Float) -> Float { dy * (1 - y * y) }
}

struct SigmoidFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.output
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_sigmoid) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.sigmoid(x) }
  func gradient(_ dy: Float, _ y: Float) -> Float { dy * y * (1 - y) }
}

/// `log(1 + exp(x))`, without overflow.
struct SoftplusFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_softplus) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.maximum(x, 0) + T.log1p(T.exp(-abs(x))) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy * Float.sigmoid(x) }
}

struct LeakyReluFunction: DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.input
  let alpha: Float
  init(_ node: Node) { alpha = node.float("alpha") ?? 0.01 }
  var vectorised: VectorisedFunction? { VectorisedFunction(rk_leaky_relu, alpha) }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x < 0 ? T(alpha) * x : x }
  func gradient(_ dy: Float, _ x: Float) -> Float { x > 0 ? dy : alpha * dy }
}

struct EluFunction: DifferentiableFunction {
  static let remembered = Remembered.input
  let alpha: Float
  init(_ node: Node) { alpha = node.float("alpha") ?? 1 }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x < 0 ? T(alpha) * T.expm1(x) : x }
  func gradient(_ dy: Float, _ x: Float) -> Float { x > 0 ? dy : dy * alpha * Float.exp(x) }
}

/// `max(0, x) + min(0, α · (exp(x/α) - 1))`
struct CeluFunction: DifferentiableFunction {
  static let remembered = Remembered.input
  let alpha: Float
  init(_ node: Node) { alpha = node.float("alpha") ?? 1 }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T {
    T.maximum(x, 0) + T.minimum(0, T(alpha) * T.expm1(x / T(alpha)))
  }
  func gradient(_ dy: Float, _ x: Float) -> Float { x > 0 ? dy : dy * Float.exp(x / alpha) }
}

struct SeluFunction: DifferentiableFunction {
  static let remembered = Remembered.input
  let alpha: Float
  let gamma: Float
  init(_ node: Node) {
    alpha = node.float("alpha") ?? 1.673_263_2
    gamma = node.float("gamma") ?? 1.050_701
  }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T(gamma) * (x > 0 ? x : T(alpha) * T.expm1(x)) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy * gamma * (x > 0 ? 1 : alpha * Float.exp(x)) }
}

struct ThresholdedReluFunction: DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.input
  let alpha: Float
  init(_ node: Node) { alpha = node.float("alpha") ?? 1 }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x > T(alpha) ? x : 0 }
  func gradient(_ dy: Float, _ x: Float) -> Float { x > alpha ? dy : 0 }
}

/// `max(0, min(1, α·x + β))`
struct HardSigmoidFunction: DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.output
  let alpha: Float
  let beta: Float
  init(_ node: Node) {
    alpha = node.float("alpha") ?? 0.2
    beta = node.float("beta") ?? 0.5
  }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.maximum(0, T.minimum(1, T(alpha) * x + T(beta))) }
  func gradient(_ dy: Float, _ y: Float) -> Float { y > 0 && y < 1 ? alpha * dy : 0 }
}

/// `x · max(0, min(1, x/6 + 1/2))`
struct HardSwishFunction: PlainFunction, DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x * T.maximum(0, T.minimum(1, x / 6 + 0.5)) }
  func gradient(_ dy: Float, _ x: Float) -> Float { x <= -3 ? 0 : x >= 3 ? dy : dy * (x / 3 + 0.5) }
}

struct SoftsignFunction: PlainFunction, DifferentiableFunction {
  static let isTranscendental = false
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x / (1 + abs(x)) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / ((1 + abs(x)) * (1 + abs(x))) }
}

/// `x · tanh(softplus(x))`
struct MishFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x * T.tanh(SoftplusFunction()(x)) }
  func gradient(_ dy: Float, _ x: Float) -> Float {
    let gate = Float.tanh(SoftplusFunction()(x))
    return dy * (gate + x * (1 - gate * gate) * Float.sigmoid(x))
  }
}

/// `x · Φ(x)`, with Φ by erf or, where `approximate` is `tanh`, by `½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
struct GeluFunction: DifferentiableFunction {
  static let remembered = Remembered.input
  let usesTanh: Bool
  var vectorised: VectorisedFunction? { VectorisedFunction(usesTanh ? rk_gelu_tanh : rk_gelu) }
  init(_ node: Node) { usesTanh = node.string("approximate") == "tanh" }
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T {
    guard usesTanh else { return 0.5 * x * (1 + T.erf(x * 0.707_106_781_186_547_5)) }
    return 0.5 * x * (1 + T.tanh(0.797_884_560_802_865_4 * (x + 0.044715 * x * x * x)))
  }
  func gradient(_ dy: Float, _ x: Float) -> Float {
    guard usesTanh else {
      let normal = 0.398_942_28 * Float.exp(-0.5 * x * x)
      return dy * (0.5 * (1 + Float.erf(x * 0.707_106_77)) + x * normal)
    }
    let gate = Float.tanh(0.797_884_56 * (x + 0.044715 * x * x * x))
    return dy * 0.5 * (1 + gate + x * (1 - gate * gate) * 0.797_884_56 * (1 + 3 * 0.044715 * x * x))
  }
}

struct SinFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.sin(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy * Float.cos(x) }
}

struct CosFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.cos(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { -dy * Float.sin(x) }
}

struct TanFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.output
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.tan(x) }
  func gradient(_ dy: Float, _ y: Float) -> Float { dy * (1 + y * y) }
}

struct AsinFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.asin(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / (1 - x * x).squareRoot() }
}

struct AcosFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.acos(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { -dy / (1 - x * x).squareRoot() }
}

struct AtanFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.atan(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / (1 + x * x) }
}

struct SinhFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.sinh(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy * Float.cosh(x) }
}

struct CoshFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.cosh(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy * Float.sinh(x) }
}

struct AsinhFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.asinh(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / (x * x + 1).squareRoot() }
}

struct AcoshFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.acosh(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / (x * x - 1).squareRoot() }
}

struct AtanhFunction: PlainFunction, DifferentiableFunction {
  static let remembered = Remembered.input
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { T.atanh(x) }
  func gradient(_ dy: Float, _ x: Float) -> Float { dy / (1 - x * x) }
}

struct FloorFunction: PlainFunction {
  static let isTranscendental = false
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x.rounded(.down) }
}

struct CeilFunction: PlainFunction {
  static let isTranscendental = false
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x.rounded(.up) }
}

struct RoundFunction: PlainFunction {
  static let isTranscendental = false
  func callAsFunction<T: FloatingNumber>(_ x: T) -> T { x.rounded(.toNearestOrEven) }
}
