// Conversions against numpy 2.4.6 and onnx 1.16.2: the numbers below were printed by Python from
// `numpy.float32(x).astype(numpy.float16)`, `onnx.helper.float32_to_float8e4m3` / `_float8e5m2` / `_bfloat16`,
// `onnx.subbyte.float32_to_4bit_unpacked` and `numpy.int64(x).astype(…)`.

import Tensors
import Testing

/// Single-precision numbers around every edge of the narrow formats: ties, subnormals, largest numbers, specials.
private let samples: [Float] = [
  0.0, -0.0, 1.0, -1.0, 0.10000000149011612, 0.30000001192092896, 1.0625, 1.1875, 17.0, 19.0, 0.001953125,
  0.0009765625, 0.0010000000474974513, 0.0029296875, -0.014600000344216824, 240.0, 248.0, 247.89999389648438, 256.0,
  448.0, 464.0, 464.1000061035156, 500.0, 57344.0, 61440.0, 61439.0, 1000000.0, -1000000.0, 1.0000000116860974e-07,
  1.4999999621068127e-05, 7.62939453125e-06, 2.2000000171829015e-05, .infinity, -.infinity, .nan,
]

/// The codes that onnx gives for `samples`; but for 61440 as float8e5m2 without saturation, a tie that rounds past the
/// largest number, onnx's conversion gives NaN (127) where its table for Cast says infinity (124), which is here.
private let float8Codes: [(ElementType, saturate: Bool, codes: [UInt8])] = [
  (
    .float8e4m3fn, true,
    [
      0, 128, 56, 184, 29, 42, 56, 58, 88, 90, 1, 0, 1, 2, 135, 119, 120, 119, 120, 126, 126, 126, 126, 126, 126, 126,
      126, 254, 0, 0, 0, 0, 126, 254, 127,
    ]
  ),
  (
    .float8e4m3fn, false,
    [
      0, 128, 56, 184, 29, 42, 56, 58, 88, 90, 1, 0, 1, 2, 135, 119, 120, 119, 120, 126, 126, 127, 127, 127, 127, 127,
      127, 255, 0, 0, 0, 0, 127, 255, 127,
    ]
  ),
  (
    .float8e4m3fnuz, true,
    [
      0, 0, 64, 192, 37, 50, 64, 66, 96, 98, 2, 1, 1, 3, 143, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127,
      127, 255, 0, 0, 0, 0, 127, 255, 128,
    ]
  ),
  (
    .float8e4m3fnuz, false,
    [
      0, 0, 64, 192, 37, 50, 64, 66, 96, 98, 2, 1, 1, 3, 143, 127, 128, 127, 128, 128, 128, 128, 128, 128, 128, 128,
      128, 128, 0, 0, 0, 0, 128, 128, 128,
    ]
  ),
  (
    .float8e5m2, true,
    [
      0, 128, 60, 188, 46, 53, 60, 61, 76, 77, 24, 20, 20, 26, 163, 92, 92, 92, 92, 95, 95, 95, 96, 123, 123, 123,
      123, 251, 0, 1, 0, 1, 123, 251, 127,
    ]
  ),
  (
    .float8e5m2, false,
    [
      0, 128, 60, 188, 46, 53, 60, 61, 76, 77, 24, 20, 20, 26, 163, 92, 92, 92, 92, 95, 95, 95, 96, 123, 124, 123,
      124, 252, 0, 1, 0, 1, 124, 252, 127,
    ]
  ),
  (
    .float8e5m2fnuz, true,
    [
      0, 0, 64, 192, 50, 57, 64, 65, 80, 81, 28, 24, 24, 30, 167, 96, 96, 96, 96, 99, 99, 99, 100, 127, 127, 127, 127,
      255, 0, 2, 1, 3, 127, 255, 128,
    ]
  ),
  (
    .float8e5m2fnuz, false,
    [
      0, 0, 64, 192, 50, 57, 64, 65, 80, 81, 28, 24, 24, 30, 167, 96, 96, 96, 96, 99, 99, 99, 100, 127, 128, 127, 128,
      128, 0, 2, 1, 3, 128, 128, 128,
    ]
  ),
]

/// The bit patterns that numpy gives for `samples` as float16, and onnx as bfloat16.
private let float16Bits: [UInt16] = [
  0, 32768, 15360, 48128, 11878, 13517, 15424, 15552, 19520, 19648, 6144, 5120, 5145, 6656, 41850, 23424, 23488,
  23487, 23552, 24320, 24384, 24384, 24528, 31488, 31616, 31616, 31744, 64512, 2, 252, 128, 369, 31744, 64512, 32256,
]

private let bfloat16Bits: [UInt16] = [
  0, 32768, 16256, 49024, 15821, 16026, 16264, 16280, 16776, 16792, 15104, 14976, 14979, 15168, 48239, 17264, 17272,
  17272, 17280, 17376, 17384, 17384, 17402, 18272, 18288, 18288, 18804, 51572, 13271, 14204, 14080, 14265, 32640,
  65408, 32704,
]

@Suite("Conversion")
struct ConversionTests {
  @Test("float to the float8 formats gives onnx's codes, saturating or not", arguments: 0..<float8Codes.count)
  func float8(_ row: Int) throws {
    let (type, saturate, codes) = float8Codes[row]
    let expected = codes.withUnsafeBytes { Tensor(bytes: $0, shape: [codes.count], elementType: type) }
    let converted = try Tensor(samples).converted(to: type, saturate: saturate)
    let difference = zip(converted.doubles(), expected.doubles()).enumerated().filter { _, pair in
      pair.0.isNaN != pair.1.isNaN || (!pair.0.isNaN && pair.0.bitPattern != pair.1.bitPattern)
    }
    #expect(difference.isEmpty, "\(type) at \(difference)")
  }

  @Test("float to float16 rounds as numpy does")
  func float16() throws {
    let bits = try Tensor(samples).converted(to: .float16).elements(as: Float16.self).map(\.bitPattern)
    #expect(bits == float16Bits)
    let edges: [Float] = [
      65504.0, 65519.99609375, 65520.0, 5.960464477539063e-08, 2.9802322387695312e-08, 2.98022992950564e-08,
      2.980232594040899e-08, 6.103515625e-05, 6.10053502896335e-05, 1.00048828125, 1.00146484375, -3.1415927410125732,
      .leastNonzeroMagnitude,
    ]
    let edgeBits = try Tensor(edges).converted(to: .float16).elements(as: Float16.self).map(\.bitPattern)
    #expect(
      edgeBits == [
        31743, 31743, 31744, 1, 0, 0, 1, 1024, 1023, 15360, 15362, 49736, 0,
      ])
  }

  @Test("float to bfloat16 rounds to the nearest, ties to even")
  func bfloat16() throws {
    let converted = try Tensor(samples).converted(to: .bfloat16)
    #expect(converted.elements(as: BFloat16.self).map(\.bitPattern) == bfloat16Bits)
  }

  @Test("double to float16 and bfloat16 rounds once, not through single precision")
  func singleRounding() throws {
    // 1 + 2^-11 + 2^-40 is just above the tie of 1 and 1 + 2^-10; single precision would lose what is above.
    let aboveTie = Tensor([1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-8 + 0x1p-40])
    #expect(try aboveTie.converted(to: .float16).doubles()[0] == 1 + 0x1p-10)
    #expect(try aboveTie.converted(to: .bfloat16).doubles()[1] == 1 + 0x1p-7)
    // 2^60 + 2^52 is the tie; one more decides, and a double can't hold that one.
    let integers = Tensor([Int64(1 << 60 + 1 << 52), 1 << 60 + 1 << 52 + 1])
    #expect(try integers.converted(to: .bfloat16).doubles() == [0x1p60, 0x1p60 + 0x1p53])
  }

  @Test("every float16 and bfloat16 bit pattern survives the way through float and through double")
  func everyHalf() throws {
    let patterns = (0...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 || $0 & 0x3FF == 0 }
    let halves = patterns.withUnsafeBytes { Tensor(bytes: $0, shape: [patterns.count], elementType: .float16) }
    #expect(try halves.converted(to: .float).converted(to: .float16) == halves)
    #expect(try halves.converted(to: .double).converted(to: .float16) == halves)
    // Swift's own conversion of the same bits.
    #expect(halves.doubles() == patterns.map { Double(Float16(bitPattern: $0)) })

    let brains = (0...UInt16.max).filter { $0 & 0x7F80 != 0x7F80 || $0 & 0x7F == 0 }
    let tensor = brains.withUnsafeBytes { Tensor(bytes: $0, shape: [brains.count], elementType: .bfloat16) }
    #expect(try tensor.converted(to: .float).converted(to: .bfloat16) == tensor)
    #expect(try tensor.converted(to: .double).converted(to: .bfloat16) == tensor)
  }

  @Test("float to 4-bit integers rounds and keeps to the bounds as onnx does; they are packed low half first")
  func fourBits() throws {
    let values = Tensor([-9, -8.5, -8, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 6.5, 7.5, 8, 15, 15.5, 16, 100] as [Float])
    let signed = try values.converted(to: .int4)
    #expect(signed.int64s() == [-8, -8, -8, -2, -2, 0, 0, 0, 2, 2, 6, 7, 7, 7, 7, 7, 7])
    let unsigned = try values.converted(to: .uint4)
    #expect(unsigned.int64s() == [0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 6, 8, 8, 15, 15, 15, 15])
    #expect(signed.withUnsafeBytes { Array($0) } == [0x88, 0xE8, 0x0E, 0x00, 0x22, 0x76, 0x77, 0x77, 0x07])
    #expect(try signed.converted(to: .float).doubles() == signed.doubles())
    #expect(try Tensor([1, -2, 0, -1, 1] as [Int8]).converted(to: .int2).int64s() == [1, -2, 0, -1, 1])
    #expect(try Tensor([1, -2, 0, -1, 1] as [Int8]).converted(to: .int2).withUnsafeBytes { Array($0) } == [0xC9, 1])
  }

  @Test("integers narrow by dropping the higher bits")
  func integers() throws {
    let values = Tensor([200, 300, -129, 1 << 40 + 5, -1] as [Int64])
    #expect(try values.converted(to: .int8).int64s() == [-56, 44, 127, 5, -1])
    #expect(try values.converted(to: .uint16).int64s() == [200, 300, 65407, 5, 65535])
    #expect(try values.converted(to: .uint64).elements(as: UInt64.self).last == .max)
    #expect(try values.converted(to: .bool).elements(as: Bool.self) == [true, true, true, true, true])
  }

  @Test("64-bit integers lose nothing among themselves and round once to float")
  func wideIntegers() throws {
    let values = Tensor([1 << 53 + 1, .max, .min, 1 << 24 + 1, 1 << 60 + 1] as [Int64])
    #expect(try values.converted(to: .uint64).converted(to: .int64) == values)
    let bits = try values.converted(to: .float).elements(as: Float.self).map(\.bitPattern)
    #expect(bits == [1_509_949_440, 1_593_835_520, 3_741_319_168, 1_266_679_808, 1_568_669_696])
    #expect(try Tensor([UInt64.max]).converted(to: .double).doubles() == [0x1p64])
    #expect(try Tensor([UInt64.max]).converted(to: .string).strings == ["18446744073709551615"])
    #expect(try Tensor([UInt64.max]).converted(to: .string).converted(to: .uint64) == Tensor([UInt64.max]))
  }

  @Test("float to integers goes towards zero; out of range becomes the bound, NaN becomes 0")
  func floatToInteger() throws {
    let values = Tensor([2.9, -2.9, 1e20, -1e20, .nan, .infinity] as [Float])
    #expect(try values.converted(to: .int32).int64s() == [2, -2, 2_147_483_647, -2_147_483_648, 0, 2_147_483_647])
    #expect(try values.converted(to: .uint8).int64s() == [2, 0, 255, 0, 0, 255])
    #expect(try values.converted(to: .bool).int64s() == [1, 1, 1, 1, 1, 1])
    #expect(try Tensor([0, -0.0, .leastNonzeroMagnitude] as [Float]).converted(to: .bool).int64s() == [0, 0, 1])
  }

  @Test("numbers become the text that Python's repr gives, and text becomes numbers")
  func text() throws {
    let floats: [Float] = [0.1, 1e-5, 0.0001, 123456, 1e16, 3.4e38, -0.0, 5, 0.47892547, .leastNonzeroMagnitude, 100.5]
    #expect(
      try Tensor(floats).converted(to: .string).strings == [
        "0.1", "1e-05", "0.0001", "123456.0", "1e+16", "3.4e+38", "-0.0", "5.0", "0.47892547", "1e-45", "100.5",
      ])
    #expect(
      try Tensor([0.1, 1e15, 1e-7] as [Double]).converted(to: .string).strings == [
        "0.1", "1000000000000000.0", "1e-07",
      ])
    let texts = Tensor(strings: ["3.14", "1e-5", "1E8", "+INF", "-inf", "NaN", "0.1", "100"], shape: [8])
    let parsed = try texts.converted(to: .float).doubles()
    #expect(parsed[..<5] == [Double(Float(3.14)), Double(Float(1e-5)), 1e8, .infinity, -.infinity])
    #expect(parsed[5].isNaN)
    #expect(
      try Tensor(strings: ["-9223372036854775808", "7"], shape: [2]).converted(to: .int64).int64s() == [.min, 7])
  }

  @Test("text that is no number is named with its place", arguments: ["Hello", "", "0x10", "1 2", "infinity", "--1"])
  func notANumber(_ text: String) {
    let tensor = Tensor(strings: ["1", ByteString(text)], shape: [2])
    #expect(throws: ConversionError.notANumber(text: text, index: 1, to: .float)) {
      try tensor.converted(to: .float)
    }
  }

  @Test("every pair of real types keeps the numbers that both can hold")
  func everyPair() throws {
    let complex: [ElementType] = [.complex64, .complex128]
    let real = ElementType.allCases.filter { $0 != .undefined && $0 != .float8e8m0 && !complex.contains($0) }
    for from in real {
      for to in real where !(from == .bool && to == .string) {  // "False" and "True" are no numbers
        let converted = try Tensor([0, 1] as [Double]).converted(to: from).converted(to: to)
        #expect(converted.elementType == to)
        #expect(try converted.converted(to: .double).doubles() == [0, 1], "\(from) to \(to)")
      }
    }
    #expect(
      try Tensor([0.75, 1, 3, 1e-50, 1e300]).converted(to: .float8e8m0).doubles() == [1, 1, 4, 0x1p-127, 0x1p127])
  }

  @Test("float4 holds its fifteen numbers and keeps to their bounds")
  func float4() throws {
    let values = Tensor([0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 7, -0.5, -100, 0.26] as [Double])
    #expect(try values.converted(to: .float4e2m1).doubles() == [0, 0, 1, 1, 2, 2, 4, 4, 6, -0.5, -6, 0.5])
  }
}
