// swift-tools-version: 6.2
import PackageDescription

/// Every module of ours: Swift 6 mode comes with the tools version; a warning is an error.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// One of our library modules, each importing only modules of the floors below it.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// The tests of a module, through its public interface.
func tests(of name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, resources: resources,
    swiftSettings: strict)
}

/// A C library from a Debian package, found with pkg-config.
func debian(_ name: String, _ package: String, pkgConfig: String? = nil) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "RankerKit",
  products: [
    .executable(name: "ranker", targets: ["ranker"]),
    .executable(name: "onnx-verify", targets: ["onnx-verify"]),
    .executable(name: "ranker-bench", targets: ["ranker-bench"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Files", targets: ["Files"]),
    .library(name: "Threads", targets: ["Threads"]),
    .library(name: "ONNX", targets: ["ONNX"]),
    .library(name: "GraphEngine", targets: ["GraphEngine"]),
    .library(name: "ReferenceRuntime", targets: ["ReferenceRuntime"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "Checkpoints", targets: ["Checkpoints"]),
    .library(name: "Encoders", targets: ["Encoders"]),
    .library(name: "Datasets", targets: ["Datasets"]),
    .library(name: "Tokenization", targets: ["Tokenization"]),
    .library(name: "Measures", targets: ["Measures"]),
    .library(name: "Reports", targets: ["Reports"]),
    .library(name: "Verification", targets: ["Verification"]),
    .library(name: "PreferenceStore", targets: ["PreferenceStore"]),
    .library(name: "PairwiseRanking", targets: ["PairwiseRanking"]),
    .library(name: "Recommendation", targets: ["Recommendation"]),
    .library(name: "TextClassification", targets: ["TextClassification"]),
    .library(name: "ConceptDetection", targets: ["ConceptDetection"]),
    .library(name: "Parquet", targets: ["Parquet"]),
    .library(name: "TrainingService", targets: ["TrainingService"]),
    .library(name: "TrainingClient", targets: ["TrainingClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    // Its settings are ours, so it needs no configuration of its own; TLS and HTTP/2 are a proxy's.
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: ["FullFoundation"]),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
  ],
  targets: [
    // Ground
    debian("CProtobufC", "libprotobuf-c-dev", pkgConfig: "libprotobuf-c"),
    debian("COpenBLAS", "libopenblas-dev", pkgConfig: "openblas"),
    debian("CDeflate", "libdeflate-dev", pkgConfig: "libdeflate"),
    debian("CCrypto", "libssl-dev", pkgConfig: "libcrypto"),
    debian("CPQ", "libpq-dev", pkgConfig: "libpq"),
    debian("CSnappy", "libsnappy-dev", pkgConfig: "snappy"),
    debian("CZstandard", "libzstd-dev", pkgConfig: "libzstd"),
    debian("CLZ4", "liblz4-dev", pkgConfig: "liblz4"),
    debian("CRabbitMQ", "librabbitmq-dev", pkgConfig: "librabbitmq"),
    .target(name: "COnnxSchema", dependencies: ["CProtobufC"]),
    .target(name: "CKernels"),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
    module("Tensors"),
    module("Files"),
    module("Threads"),
    module("DatabaseFiles", [grdb]),
    // Format
    module("ONNX", ["Tensors", "Files", "COnnxSchema", "CProtobufC"]),
    module("Parquet", ["Files", "Threads", "CDeflate", "CSnappy", "CZstandard", "CLZ4"]),
    // Runtimes
    module("GraphEngine", ["ONNX", "Tensors", "CKernels", "COpenBLAS"]),
    module("ReferenceRuntime", ["ONNX", "Tensors"]),
    // Learning
    module("Training", ["Checkpoints", "GraphEngine", "ONNX", "Tensors"]),
    module("Checkpoints", ["Tensors", "Files", "CDeflate", "CCrypto"]),
    module("Datasets", ["Parquet", "Tensors", "Files", "Threads", "CSimdJSON"]),
    module("Encoders", ["Tokenization", "Checkpoints", "GraphEngine", "ONNX", "Tensors", "Files"]),
    module("Tokenization", ["Files", "Threads", "CSimdJSON"]),
    module("Measures"),
    module("Reports", ["ONNX", "Tensors", "Threads"]),
    // Trust
    module(
      "Verification",
      ["ReferenceRuntime", "GraphEngine", "Checkpoints", "Reports", "ONNX", "Tensors", "Files"]),
    // Domains
    module("PreferenceStore", ["Datasets", "DatabaseFiles", grdb]),
    module(
      "PairwiseRanking",
      [
        "Verification", "Training", "Checkpoints", "Datasets", "Measures", "Reports", "GraphEngine", "ONNX", "Tensors",
        "Files", "Threads",
      ],
      resources: [.copy("Resources")]),
    module(
      "Recommendation",
      [
        "Verification", "Training", "Checkpoints", "Datasets", "Parquet", "Measures", "Reports", "GraphEngine", "ONNX",
        "Tensors", "Files", "Threads",
      ],
      resources: [.copy("Resources")]),
    module(
      "TextClassification",
      [
        "Verification", "Training", "Encoders", "Tokenization", "Checkpoints", "Datasets", "Parquet", "Measures",
        "Reports", "GraphEngine", "ONNX", "Tensors", "Files", "Threads",
      ],
      resources: [.copy("Resources")]),
    module(
      "ConceptDetection",
      [
        "Verification", "Training", "Encoders", "Tokenization", "Checkpoints", "Datasets", "Parquet", "Measures",
        "Reports", "GraphEngine", "ONNX", "Tensors", "Files", "Threads",
      ],
      resources: [.copy("Resources")]),
    // Service
    module("TrainingClient"),
    module(
      "TrainingService",
      [
        "Checkpoints", "Files", "DatabaseFiles", "Reports", "CCrypto", "CPQ", "CRabbitMQ", grdb, logging,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      resources: [.copy("Resources")]),
    // Commands
    .executableTarget(
      name: "ranker",
      dependencies: [
        "PairwiseRanking", "Recommendation", "TextClassification", "ConceptDetection", "PreferenceStore",
        "TrainingService", "TrainingClient", "Verification", "Training", "Reports", "Encoders", "Tokenization",
        "Files", logging, argumentParser,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "onnx-verify",
      dependencies: [
        "PairwiseRanking", "Recommendation", "TextClassification", "ConceptDetection", "Verification", argumentParser,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "ranker-bench",
      dependencies: [
        "PairwiseRanking", "Recommendation", "ConceptDetection", "Encoders", "Training", "GraphEngine", "Datasets",
        "Parquet", "Tokenization", "COpenBLAS", argumentParser,
      ],
      swiftSettings: strict),
    // Tests
    tests(of: "CKernels"),
    tests(of: "Tensors"),
    tests(of: "Files"),
    tests(of: "Threads"),
    tests(of: "ONNX", ["Tensors"], resources: [.copy("Resources")]),
    tests(of: "GraphEngine", ["ReferenceRuntime"], resources: [.copy("Resources")]),
    tests(of: "ReferenceRuntime", ["ONNX", "Tensors"], resources: [.copy("OperatorExamples.txt")]),
    tests(of: "Training"),
    tests(of: "Checkpoints", ["Tensors", "Files"], resources: [.copy("Resources")]),
    tests(of: "Datasets", ["CommandSupport"]),
    tests(
      of: "Encoders",
      [
        "Training", "Tokenization", "Checkpoints", "GraphEngine", "ReferenceRuntime", "ONNX", "Tensors",
        "CommandSupport",
      ],
      resources: [.copy("Resources")]),
    tests(of: "Tokenization"),
    tests(of: "Measures"),
    tests(of: "Reports", ["ONNX", "Tensors"]),
    tests(of: "Verification", ["CommandSupport"]),
    tests(of: "PreferenceStore", ["CommandSupport"]),
    tests(
      of: "PairwiseRanking",
      [
        "CommandSupport", "Datasets", "Training", "GraphEngine", "Checkpoints", "Verification", "ONNX", "Tensors",
      ],
      resources: [.copy("Resources")]),
    tests(of: "Parquet", resources: [.copy("Resources")]),
    tests(
      of: "Recommendation",
      [
        "Datasets", "Measures", "Training", "GraphEngine", "ReferenceRuntime", "Checkpoints", "Verification", "ONNX",
        "Parquet", "Tensors", "CommandSupport",
      ],
      resources: [.copy("Resources")]),
    tests(
      of: "TextClassification",
      [
        "Datasets", "Measures", "Training", "Encoders", "Tokenization", "Checkpoints", "Verification",
        "ReferenceRuntime", "ONNX", "Tensors", "CommandSupport",
      ],
      resources: [.copy("Resources")]),
    tests(
      of: "TrainingService",
      ["TrainingClient", "Checkpoints", "DatabaseFiles", "CommandSupport", "CPQ", grdb, logging]),
    tests(
      of: "ConceptDetection",
      [
        "Datasets", "Measures", "Training", "GraphEngine", "ReferenceRuntime", "Checkpoints", "Verification", "ONNX",
        "Encoders", "Tokenization", "Tensors", "CommandSupport",
      ],
      resources: [.copy("Resources")]),
    .executableTarget(
      name: "concept-features", dependencies: ["ConceptDetection"], path: "Tests/ConceptFeatures", swiftSettings: strict
    ),
    .executableTarget(
      name: "parquet-copy", dependencies: ["Parquet"], path: "Tests/ParquetCopy", swiftSettings: strict),
    .target(name: "CommandSupport", path: "Tests/CommandSupport", swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "ranker", "onnx-verify", "PreferenceStore", "TrainingClient", "Checkpoints", "Datasets", "ONNX", "Tensors",
        "CommandSupport", grdb,
      ],
      swiftSettings: strict),
  ],
  cLanguageStandard: .gnu17,
  cxxLanguageStandard: .cxx17
)
