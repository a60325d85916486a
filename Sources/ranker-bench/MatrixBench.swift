// Matrix products of the shapes that training and scoring need: this package's kernels beside OpenBLAS.

import COpenBLAS
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

/// Measures every shape by this package's kernels; by OpenBLAS as a program that links it gets it, with threads of its
/// own; and by OpenBLAS as the engine uses it, a call on each of the engine's threads.
/// - Parameter seconds: about how long each product is repeated by each.
func measureMatrixProducts(
  _ shapes: [MatrixShape] = MatrixShape.all, threads: Int = 2, seconds: Double = 0.3
) -> [MatrixMeasurement] {
  let pool = ThreadPool(threads: threads)
  return shapes.flatMap { shape in
    let memory = ProductMemory(shape)
    func planned(_ name: String, _ engine: MatrixProductEngine) -> MatrixMeasurement {
      let product = MatrixProduct(
        rows: shape.rows, columns: shape.columns, depth: shape.depth, a: .init(transposed: shape.aTransposed),
        b: .init(transposed: shape.bTransposed), batch: shape.batch, threads: threads, engine: engine)
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: product.scratchByteCount, alignment: 64)
      defer { scratch.deallocate() }
      return measure(shape, engine: name, seconds: seconds) {
        product.run(a: memory.a, b: memory.b, c: memory.c, scratch: scratch, pool: pool)
      }
    }
    let ours = planned(MatrixKernels.best.name, .kernels(.best))
    let onOurThreads = planned("OpenBLAS on our threads", .openBLAS)
    openblas_set_num_threads(Int32(threads))
    let alone = measure(shape, engine: "OpenBLAS", seconds: seconds) { multiplyByOpenBLAS(shape, memory) }
    openblas_set_num_threads(1)
    return [ours, alone, onOurThreads]
  }
}

private func multiplyByOpenBLAS(_ shape: MatrixShape, _ memory: ProductMemory) {
  for index in 0..<shape.batch {
    cblas_sgemm(
      CblasRowMajor, shape.aTransposed ? CblasTrans : CblasNoTrans, shape.bTransposed ? CblasTrans : CblasNoTrans,
      Int32(shape.rows), Int32(shape.columns), Int32(shape.depth), 1, memory.a + index * shape.rows * shape.depth,
      Int32(shape.aTransposed ? shape.rows : shape.depth), memory.b + index * shape.depth * shape.columns,
      Int32(shape.bTransposed ? shape.depth : shape.columns), 0, memory.c + index * shape.rows * shape.columns,
      Int32(shape.columns))
  }
}

/// The matrices of a product.
private final class ProductMemory {
  let a, b, c: UnsafeMutablePointer<Float>

  init(_ shape: MatrixShape) {
    func numbers(_ count: Int) -> UnsafeMutablePointer<Float> {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64).bindMemory(
        to: Float.self, capacity: count)
      for index in 0..<count { memory[index] = Float(index % 17) / 17 - 0.5 }
      return memory
    }
    a = numbers(shape.batch * shape.rows * shape.depth)
    b = numbers(shape.batch * shape.depth * shape.columns)
    c = numbers(shape.batch * shape.rows * shape.columns)
  }

  deinit { for memory in [a, b, c] { memory.deallocate() } }
}

private func measure(
  _ shape: MatrixShape, engine: String, seconds: Double, _ run: () -> Void
) -> MatrixMeasurement {
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
    name: shape.name, engine: engine, bestGigaflops: operations / times[0] / 1e9,
    medianGigaflops: operations / times[times.count / 2] / 1e9, bestMicroseconds: times[0] * 1e6)
}

/// Seconds on a clock that only goes forward.
private func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
