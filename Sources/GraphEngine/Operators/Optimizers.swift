// The updates of a training step as nodes: each changes its first input, a variable, where it lies.

import ONNX
import Tensors

/// The domain of the operators that update parameters. They never reach an exported file.
public let trainingDomain = "rankerkit.training"
