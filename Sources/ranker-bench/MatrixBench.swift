// Matrix products of the shapes that training and scoring need: this package's kernels beside OpenBLAS.

import Glibc
import GraphEngine

/// One product's speed by one engine.
struct MatrixMeasurement {
  /// The product, for people and for pairing with the peers' output.
  let name: String
  let engine: String
  /// Of the fastest run and of the median one, packing included.
  let bestGigaflops, medianGigaflops: Double
  /// Of the fastest run.
  let bestMicroseconds: Double
}

/// A product to measure, `[rows, depth]·[depth, columns]`.
struct MatrixShape {
  let name: String
  let rows, columns, depth: Int
  var aTransposed = false
  var bTransposed = true
  var batch = 1

  /// The same list, by the same names, as in `tools/peers/torch_matmul.py`.
  static let all: [MatrixShape] = [
    MatrixShape(name: "2048x384x384", rows: 2048, columns: 384, depth: 384),
    MatrixShape(name: "2048x1536x384", rows: 2048, columns: 1536, depth: 384),
    MatrixShape(name: "2048x384x1536", rows: 2048, columns: 384, depth: 1536),
    MatrixShape(name: "1024x1024x1024", rows: 1024, columns: 1024, depth: 1024),
    MatrixShape(name: "256x128x128", rows: 256, columns: 128, depth: 128),
    MatrixShape(name: "64x256x1542", rows: 64, columns: 256, depth: 1542),
    MatrixShape(name: "64x256x256", rows: 64, columns: 256, depth: 256),
    MatrixShape(
      name: "weight gradient 256x1542x64", rows: 256, columns: 1542, depth: 64, aTransposed: true, bTransposed: false),
    MatrixShape(
      name: "weight gradient 256x256x64", rows: 256, columns: 256, depth: 64, aTransposed: true, bTransposed: false),
    MatrixShape(name: "input gradient 64x256x256", rows: 64, columns: 256, depth: 256, bTransposed: false),
    MatrixShape(
      name: "weight gradient 384x1536x2048", rows: 384, columns: 1536, depth: 2048, aTransposed: true,
      bTransposed: false),
    MatrixShape(name: "input gradient 2048x384x1536", rows: 2048, columns: 384, depth: 1536, bTransposed: false),
    MatrixShape(name: "attention scores 192 of 128x128x32", rows: 128, columns: 128, depth: 32, batch: 192),
    MatrixShape(
      name: "attention values 192 of 128x32x128", rows: 128, columns: 32, depth: 128, bTransposed: false, batch: 192),
    MatrixShape(name: "one item 1x256x1542", rows: 1, columns: 256, depth: 1542),
    MatrixShape(name: "score head 64x1x256", rows: 64, columns: 1, depth: 256),
    MatrixShape(name: "10000 items 10000x256x1542", rows: 10_000, columns: 256, depth: 1542),
  ]
}

/// Measures every shape by this package's kernels and by OpenBLAS.
/// - Parameter seconds: about how long each product is repeated by each engine.
func measureMatrixProducts(
  _ shapes: [MatrixShape] = MatrixShape.all, threads: Int = 2, seconds: Double = 0.3
) -> [MatrixMeasurement] {
  let pool = ThreadPool(threads: threads)
  let engines = [(MatrixKernels.best.name, MatrixProductEngine.kernels(.best)), ("OpenBLAS", .openBLAS)]
  return shapes.flatMap { shape in
    engines.map { measure(shape, engine: $0.0, $0.1, pool: pool, seconds: seconds) }
  }
}

private func measure(
  _ shape: MatrixShape, engine name: String, _ engine: MatrixProductEngine, pool: ThreadPool, seconds: Double
) -> MatrixMeasurement {
  let product = MatrixProduct(
    rows: shape.rows, columns: shape.columns, depth: shape.depth, a: .init(transposed: shape.aTransposed),
    b: .init(transposed: shape.bTransposed), batch: shape.batch, threads: pool.threadCount, engine: engine)
  func numbers(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64).bindMemory(
      to: Float.self, capacity: count)
    for index in 0..<count { memory[index] = Float(index % 17) / 17 - 0.5 }
    return memory
  }
  let a = numbers(shape.batch * shape.rows * shape.depth)
  let b = numbers(shape.batch * shape.depth * shape.columns)
  let c = numbers(shape.batch * shape.rows * shape.columns)
  let scratch = UnsafeMutableRawPointer.allocate(byteCount: product.scratchByteCount, alignment: 64)
  defer {
    for memory in [a, b, c] { memory.deallocate() }
    scratch.deallocate()
  }
  func run() { product.run(a: a, b: b, c: c, scratch: scratch, pool: pool) }

  var times: [Double] = []
  let end = now() + seconds
  run()
  while now() < end || times.count < 5 {
    let start = now()
    run()
    times.append(now() - start)
  }
  times.sort()
  let operations = 2.0 * Double(shape.batch * shape.rows * shape.columns * shape.depth)
  return MatrixMeasurement(
    name: shape.name, engine: name, bestGigaflops: operations / times[0] / 1e9,
    medianGigaflops: operations / times[times.count / 2] / 1e9, bestMicroseconds: times[0] * 1e6)
}

/// Seconds on a clock that only goes forward.
private func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
