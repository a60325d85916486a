// `ranker inspect`: what is in a graph.

import ArgumentParser
import Files
import Foundation
import ONNX
import Reports
import Verification

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is in an ONNX graph: nodes, shapes, parameters; draw it.",
    discussion: "FILE is an .onnx file or the directory of models, whose graphs are shown one after the other.")

  @Argument(help: ArgumentHelp("An .onnx file or the directory of a model.", valueName: "file"))
  var path: String

  @Option(help: ArgumentHelp("Draw the graph into this file (needs Graphviz).", valueName: "file.svg"))
  var svg: String?

  @Flag(help: "Do not list the nodes.")
  var summary = false

  func run() throws {
    let paths = try files()
    if let svg {
      // A directory's first graph is the whole model.
      let drawing = GraphDrawing(dot: try Model(contentsOf: paths[0]).graphvizDot())
      guard let file = drawing.file else {
        if case .missing(let reason) = drawing { throw ValidationFailure("\(paths[0]) is not drawn: \(reason)") }
        return
      }
      try AtomicFile.write(to: svg) { try $0.write(file) }
    }
    for (index, path) in paths.enumerated() {
      if index > 0 { print() }
      let model = try Model(contentsOf: path)
      if paths.count > 1 { print(Style.output.bold(path)) }
      print(model.summary)
      if !summary { print("\n" + model.listing) }
    }
    flushOutput()
    if let svg { remark("\(paths[0]) is drawn in \(svg)") }
  }

  /// The graphs that the path names: a model's own, the one that one would open first before the others.
  private func files() throws -> [String] {
    guard MetadataFiles.namesModel(path) else { return [path] }
    let graphs = try MetadataFiles.paths(for: path).flatMap { file in
      let common = try CommonMetadata(contentsOf: file)
      let names = common.checksums.digests.keys.filter { $0.hasSuffix(".onnx") }
      let folder = (file as NSString).deletingLastPathComponent
      return names.sorted { a, b in (a == common.files["onnx"] ? 0 : 1, a) < (b == common.files["onnx"] ? 0 : 1, b) }
        .map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
    }
    guard !graphs.isEmpty else { throw ModelError.notAModel(path: path, problem: "no model with a graph is in it") }
    return graphs
  }
}
