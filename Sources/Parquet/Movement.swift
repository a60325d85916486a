// Moving values of one size about: looking them up, repeating them, spreading them over nulls.
//
// A column is decoded by code that knows a value only by its width, so that every Swift type gets the same fast loops,
// also when the call comes from another module, where generic code would not be specialised.

/// The loops over values of one width, or of one type that owns memory. Targets hold values already, if only empty ones.
struct Movement: Sendable {
  let stride: Int
  /// `target[i] = dictionary[indices[i]]`; the indices have been checked.
  let gather:
    @Sendable (
      _ dictionary: UnsafeRawPointer, _ indices: UnsafePointer<UInt32>, _ count: Int, _ target: UnsafeMutableRawPointer
    ) -> Void
  /// `target[0..<count] = value`.
  let fill: @Sendable (_ value: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer) -> Void
  /// The first `present` values of `target` move to the places, of `count`, whose level is `maximum`; the others get
  /// the placeholder.
  let spread:
    @Sendable (
      _ target: UnsafeMutableRawPointer, _ present: Int, _ levels: UnsafePointer<UInt8>, _ maximum: UInt8, _ count: Int
    ) -> Void
  /// Makes raw memory hold placeholders.
  let initialize: @Sendable (_ target: UnsafeMutableRawPointer, _ count: Int) -> Void
  let deinitialize: @Sendable (_ target: UnsafeMutableRawPointer, _ count: Int) -> Void

  /// Of numbers and booleans, whose placeholder is all zero bits.
  static func ofWidth(_ width: Int) -> Movement {
    switch width {
    case 1: Movement(of: UInt8.self, isTrivial: true)
    case 2: Movement(of: UInt16.self, isTrivial: true)
    case 4: Movement(of: UInt32.self, isTrivial: true)
    default: Movement(of: UInt64.self, isTrivial: true)
    }
  }

  init<Value: ParquetValue>(of type: Value.Type, isTrivial: Bool = false) {
    stride = MemoryLayout<Value>.stride
    gather = { dictionary, indices, count, target in
      let dictionary = dictionary.assumingMemoryBound(to: Value.self)
      let target = target.assumingMemoryBound(to: Value.self)
      for index in 0..<count { target[index] = dictionary[Int(truncatingIfNeeded: indices[index])] }
    }
    fill = { value, count, target in
      let value = value.assumingMemoryBound(to: Value.self).pointee
      target.assumingMemoryBound(to: Value.self).update(repeating: value, count: count)
    }
    spread = { target, present, levels, maximum, count in
      let target = target.assumingMemoryBound(to: Value.self)
      let placeholder = Value.placeholder
      // Backwards, as a value never moves to the front.
      var source = present
      var index = count
      while index > source {
        index &-= 1
        if levels[index] == maximum {
          source &-= 1
          target[index] = target[source]
        } else {
          target[index] = placeholder
        }
      }
    }
    if isTrivial {
      initialize = { _, _ in }
      deinitialize = { _, _ in }
    } else {
      initialize = { target, count in
        target.assumingMemoryBound(to: Value.self).initialize(repeating: Value.placeholder, count: count)
      }
      deinitialize = { target, count in
        target.assumingMemoryBound(to: Value.self).deinitialize(count: count)
      }
    }
  }
}
