// `ranker convert`: a model in another format or precision.

import ArgumentParser
import PairwiseRanking
import Reports

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model in another format or precision.",
    discussion: """
      MODEL is a model's directory, or an .onnx, .pth or .safetensors file. To onnx, a lone .pth needs its model's \
      metadata beside it.

      A graph in float16 or bfloat16 stores its large weights so, and casts them where they are used: half the bytes, \
      the same inputs and outputs, and sums in single precision in every runtime. A .pth or .safetensors file gets every \
      number in that precision.
      """)

  @Argument(help: "A model's directory, or an .onnx, .pth or .safetensors file.")
  var model: String

  @Option(help: "The format: onnx, pth or safetensors.")
  var to: ModelConversion.Format

  @Option(help: "How numbers are stored: float32, float16 or bfloat16 (default: as they are).")
  var precision: ModelConversion.Precision?

  @Option(help: ArgumentHelp("The file to write (default: beside the model).", valueName: "file"))
  var output: String?

  func run() throws {
    let conversion = ModelConversion(source: model, format: to, precision: precision)
    let written = try conversion.write(to: output ?? conversion.defaultOutput)
    print(
      "\(written.path): \(count(written.tensors, "tensor")), \(Figures.count(written.parameters)) numbers, "
        + "\(Figures.count(written.bytes)) bytes")
  }
}

extension ModelConversion.Format: ExpressibleByArgument {}
extension ModelConversion.Precision: ExpressibleByArgument {}
