// State dicts and dicts as values.

import Checkpoints
import Tensors
import Testing

@Suite("State dictionaries")
struct StateDictionaryTests {
  @Test("names keep their order; a name set again keeps its place; a removed one leaves the others")
  func order() {
    var state: StateDictionary = ["b": Tensor(scalar: 1 as Float), "a": Tensor(scalar: 2 as Float)]
    state["c"] = Tensor(scalar: 3 as Float)
    state["b"] = Tensor(scalar: 4 as Float)
    #expect(state.names == ["b", "a", "c"])
    state["b"] = nil
    #expect(state.names == ["a", "c"])
    #expect(state["c"] == Tensor(scalar: 3 as Float))
    #expect(state["b"] == nil)
    #expect(state.parameterCount == 2)
  }

  @Test("a dict finds string and integer keys, and removing one keeps the rest reachable")
  func dictionary() {
    var dictionary = CheckpointDictionary([("x", 1), (.int(7), 2), ("y", 3), ("x", 4)])
    #expect(dictionary.count == 3)
    #expect(dictionary["x"] == 4)
    #expect(dictionary[.int(7)] == 2)
    dictionary["x"] = nil
    #expect(dictionary["y"] == 3)
    #expect(dictionary.keys == [7, "y"])
  }
}
