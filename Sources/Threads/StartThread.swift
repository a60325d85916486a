// A thread of the system that runs a closure.

import Glibc

/// Starts a thread; nil where the system has none left. Whoever gets it joins or detaches it.
func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(Body(body))
  let status = pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
      return nil
    }, argument.toOpaque())
  guard status != 0 else { return thread }
  argument.release()
  return nil
}

private final class Body {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
