// The files that come with the package, beside its executables.

import Glibc

/// Where a resource of one of the package's modules stands when its programs were built: beside the executable.
///
/// A copied executable may be without them: look before use.
///
/// - Parameters:
///   - name: of the file in the module's `Resources`.
///   - module: that it belongs to.
public func packageResource(_ name: String, of module: String) -> String {
  var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let length = buffer.withUnsafeMutableBytes { buffer in
    readlink("/proc/self/exe", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
  }
  let executable = String(decoding: buffer.prefix(max(length, 0)), as: UTF8.self)
  let folder = executable.lastIndex(of: "/").map { executable[..<$0] } ?? "."
  return "\(folder)/RankerKit_\(module).resources/Resources/\(name)"
}
