// A graph drawn while something else goes on.

import Threads

/// The drawing of a graph, laid out on a thread of its own: Graphviz takes its time, a training too.
public struct BackgroundDrawing: Sendable {
  private let work: Background<GraphDrawing>

  /// Starts the drawing. Whoever starts it waits for it (`wait()`), also where something else failed.
  /// - Parameter dot: gives the graph in Graphviz's language.
  public init(dot: @escaping @Sendable () -> String) {
    work = Background { GraphDrawing(dot: dot()) }
  }

  public func wait() { work.wait() }

  /// Waits, then gives the drawing, or the reason why there is none.
  public var markup: Markup { ((try? work.value()) ?? .missing(reason: "it was interrupted")).markup }
}
