// Operators against onnxruntime, on the examples of OperatorExamples.txt.

import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("Operators")
struct ExampleTests {
  @Test("the examples cover most operators")
  func coverage() {
    let names = Set(Example.all.map { OperatorName(domain: $0.domain, operatorType: $0.operatorType) })
    #expect(Example.all.count > 280)
    #expect(names.isSubset(of: ReferenceSession.supportedOperators))
    #expect(names.count > 130)
  }

  @Test("each operator gives what onnxruntime gives", arguments: Example.all)
  func example(_ example: Example) throws {
    let found = try evaluate(
      example.operatorType, domain: example.domain, example.inputs, example.attributes,
      outputs: example.outputs.count, opset: example.opset)
    for (found, expected) in zip(found, example.outputs) {
      #expect(found.elementType == expected.elementType)
      #expect(found.shape == expected.shape)
      guard found.elementType == expected.elementType, found.shape == expected.shape else { continue }
      if expected.elementType == .string {
        #expect(found.strings == expected.strings)
        continue
      }
      // onnxruntime computes in single precision, with its own approximations of exp, erf and tanh.
      let exact = !expected.elementType.isFloatingPoint
      let differences = zip(found.doubles(), expected.doubles()).enumerated().filter { _, pair in
        let (a, b) = pair
        return !(a == b || a.isNaN && b.isNaN || !exact && abs(a - b) <= 1e-6 + 1e-5 * abs(b))
      }
      #expect(differences.isEmpty, "\(differences)")
    }
  }
}
