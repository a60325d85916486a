// How far two outputs are apart: absolute, relative, and in units in the last place.

import Tensors
import Testing
import Verification

@Suite("Differences of outputs")
struct DifferenceTests {
  private func difference(_ expected: [Float], _ found: [Float], _ tolerance: Tolerance = Tolerance())
    -> OutputDifference
  {
    OutputDifference(
      name: "y", expected: Tensor(expected, shape: [expected.count / 2, 2]),
      found: Tensor(found, shape: [found.count / 2, 2]), tolerance: tolerance)
  }

  @Test("the largest differences are found with their places")
  func places() throws {
    let result = difference([1, 100, 0, 4], [1, 101, 0.001, 4])
    #expect(result.mismatches == 2)
    let absolute = try #require(result.largestAbsolute)
    #expect(absolute.value == 1 && absolute.index == [0, 1] && absolute.expected == 100 && absolute.found == 101)
    #expect(try #require(result.largestRelative).index == [1, 0])
  }

  @Test("of the elements outside the tolerance the worst is named, not one that only is large")
  func worstMismatch() throws {
    let result = difference([1e30, 1], [1.000001e30, 1.1])
    #expect(result.mismatches == 1)
    #expect(try #require(result.worstMismatch).index == [0, 1])
  }

  @Test("neighbouring numbers are one unit apart, also across zero")
  func ulp() throws {
    #expect(difference([1, 1], [Float(1).nextUp, 1]).largestULP?.value == 1)
    #expect(difference([1024, 1], [Float(1024).nextDown, 1]).largestULP?.value == 1)
    #expect(difference([.leastNonzeroMagnitude, 1], [-.leastNonzeroMagnitude, 1]).largestULP?.value == 2)
    #expect(difference([0, 1], [-0.0, 1]).largestULP?.value == 0)
  }

  @Test("the tolerance is |found - expected| ≤ absolute + relative · |expected|")
  func tolerance() {
    #expect(difference([1000, 0], [1000.09, 0.000009]).matches)
    #expect(!difference([1000, 0], [1000.2, 0]).matches)
    #expect(!difference([1000, 0], [1000, 0.00002]).matches)
  }

  @Test("NaN equals NaN, an infinity only itself")
  func notNumbers() {
    #expect(difference([.nan, .infinity], [.nan, .infinity]).matches)
    #expect(difference([.nan, .infinity], [1, .infinity]).mismatches == 1)
    #expect(difference([.infinity, 1], [-.infinity, 1]).mismatches == 1)
    #expect(difference([1, 1], [.nan, 1]).largestAbsolute?.value == .infinity)
  }

  @Test("another type or shape is said, not compared")
  func incomparable() {
    let expected = Tensor([1, 2] as [Float])
    #expect(
      OutputDifference(name: "y", expected: expected, found: Tensor([1, 2] as [Double]), tolerance: .exact).problem
        == "is double, expected float")
    #expect(
      OutputDifference(name: "y", expected: expected, found: Tensor([1] as [Float]), tolerance: .exact).problem
        == "has the shape [1], expected [2]")
  }

  @Test("64-bit integers are compared beyond what doubles hold")
  func integers() {
    let large = Int64(1) << 60
    let result = OutputDifference(
      name: "y", expected: Tensor([large]), found: Tensor([large + 1]), tolerance: Tolerance())
    #expect(!result.matches)
  }
}
