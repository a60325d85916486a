// The training proper: batches, steps, and the measures after each epoch.

import Datasets
import Encoders
import GraphEngine
import ONNX
import Tensors
import Training

/// Trains the parameters of one classifier.
struct ClassifierRun {
  let graph: ClassifierGraph
  let start: StartingPoint
  let texts: PreparedTexts.Tokenized
  let sources: PreparedTexts
  let settings: ClassificationSettings
  let trainedParameters: [String]

  private var evaluator: ClassifierEvaluator { ClassifierEvaluator(graph: graph, threads: settings.threads) }

  /// The trained parameters together with those that stayed as they were.
  func allParameters(_ trained: [String: Tensor]) -> [String: Tensor] {
    start.parameters.merging(trained) { $1 }
  }

  /// The measure that marks the best epoch.
  private static let monitored = "validation_micro_f1"

  func train(
    from state: TrainingState?, save: (TrainingState) throws -> Void,
    report: @escaping (ClassificationTraining.Event) -> Void
  ) throws -> TrainingState {
    var parameters = start.parameters
    if !start.hasHead {
      // A resumed training takes its parameters from the state: any values of the right shapes will do.
      if state == nil { report(.preparing("fitting the last layer")) }
      parameters.merge(try state == nil ? fittedHead(parameters) : emptyHead()) { $1 }
    }
    let targets = try targets(report: report)
    let isWeighted = targets.weights != nil
    let trainer = try Trainer(
      graph.training(parameters, isWeighted: isWeighted), loss: ClassifierGraph.lossName, parameters: trainedParameters,
      options: Trainer.Options(
        optimizer: settings.rule, gradientClip: settings.gradientClip > 0 ? settings.gradientClip : nil,
        undecayed: Set(trainedParameters.filter(EncoderConfiguration.isUndecayed)), seed: settings.seed,
        threads: settings.threads))
    parameters = [:]
    let count = texts.training.count
    let steps = (count + settings.batchSize - 1) / settings.batchSize * settings.epochs
    let validates = texts.validation.count > 0
    let loop = TrainingLoop(
      epochs: settings.epochs, batchSize: settings.batchSize, learningRate: settings.rate,
      schedule: .linear(warmup: Int(settings.warmup * Double(steps)), total: steps),
      patience: validates ? settings.patience : nil,
      monitor: validates ? (metric: Self.monitored, largerIsBetter: true) : nil, seed: settings.seed)
    do {
      return try loop.run(
        trainer, over: samples(targets), from: state,
        evaluate: { trained in
          guard validates else { return EpochEvaluation(metrics: [:]) }
          return EpochEvaluation(metrics: metrics(try evaluation(of: graph.classifier(allParameters(trained)))))
        }, save: save, report: { report(.progress($0)) })
    } catch TrainingError.lossNotFinite(let epoch, let batch, let value, let samples) {
      throw ClassificationError.lossNotFinite(
        epoch: epoch, batch: batch, value: value, texts: samples.map { sources.training[$0].text })
    }
  }

  /// What the texts should come out as: with a teacher, what it makes of them is part of that.
  private func targets(report: (ClassificationTraining.Event) -> Void) throws -> TrainingTargets {
    guard let teacher = start.teacher else { return texts.targets }
    report(.preparing("asking the larger classifier"))
    let evaluator = ClassifierEvaluator(graph: teacher.graph, threads: settings.threads)
    let logits = try evaluator.logits(
      texts.training, maximumLength: texts.maximumLength, of: teacher.graph.classifier(teacher.parameters))
    return texts.targets.taught(
      by: ClassifierEvaluation.probabilities(of: logits), share: Teacher.share)
  }

  private func samples(_ targets: TrainingTargets) -> TrainingLoop.Samples {
    let batches = TextBatches(texts: texts.training, graph: graph, maximumLength: texts.maximumLength)
    let (labelCount, isWeighted) = (graph.labels.count, targets.weights != nil)
    let (count, batchSize, seed) = (texts.training.count, settings.batchSize, settings.seed)
    return TrainingLoop.Samples(
      count: count,
      order: { epoch in
        // Each epoch's order hangs on its number alone, so that a resumed training draws the same.
        batches.order(count, batchSize: batchSize, seed: seed &+ UInt64(epoch) &* 0x9E37_79B9_7F4A_7C15)
      },
      specs: { batch in
        var specs = batches.specs(batch)
        specs[ClassifierGraph.labelInput] = TensorSpec(.float, [batch.count, labelCount])
        if isWeighted { specs[ClassifierGraph.weightInput] = TensorSpec(.float, [batch.count, 1]) }
        return specs
      },
      fill: { plan, batch in
        batches.fill(plan, batch)
        plan.withUnsafeMutableInput(ClassifierGraph.labelInput, as: Float.self) { targets.write(batch, to: $0) }
        if let weights = targets.weights {
          plan.withUnsafeMutableInput(ClassifierGraph.weightInput, as: Float.self) { values in
            for (row, text) in batch.enumerated() { values[row] = weights[text] }
          }
        }
      })
  }

  // MARK: The head

  private func emptyHead() -> [String: Tensor] {
    let shapes = graph.configuration.classifierParameters(labels: graph.labels.count)
    return Dictionary(
      uniqueKeysWithValues: shapes.map { ($0.name, Tensor(zeros: $0.shape, elementType: .float)) })
  }

  private func fittedHead(_ parameters: [String: Tensor]) throws -> [String: Tensor] {
    let fitting = HeadFitting(graph: graph, seed: settings.seed, threads: settings.threads)
    let chosen = fitting.chosen(of: texts.training.count)
    var some = TokenizedTexts()
    for text in chosen { some.append(texts.training[text]) }
    let features = try evaluator.pooled(some, maximumLength: texts.maximumLength, parameters: parameters)
    let labelCount = graph.labels.count
    let targets = Tensor(uninitialized: [chosen.count, labelCount], elementType: .float) {
      texts.targets.write(chosen, to: $0.bindMemory(to: Float.self))
    }
    let weights = chosen.map { texts.targets.weights?[$0] ?? 1 }
    return try fitting.fitted(
      features: Tensor(features, shape: [chosen.count, graph.configuration.width]), targets: targets,
      weights: Tensor(weights, shape: [chosen.count, 1]))
  }

  // MARK: Measures

  private func evaluation(of model: Model) throws -> ClassifierEvaluation {
    ClassifierEvaluation(
      labels: graph.labels,
      logits: try evaluator.logits(texts.validation, maximumLength: texts.maximumLength, of: model),
      actual: texts.actual)
  }

  private func measures(_ evaluation: ClassifierEvaluation) -> ClassificationMeasures {
    settings.threshold.map { evaluation.measures(at: $0) } ?? evaluation.tunedMeasures()
  }

  /// The measures of an epoch by name; those of single labels behind their `/`.
  private func metrics(_ evaluation: ClassifierEvaluation) -> [String: Double] {
    let measures = measures(evaluation)
    var metrics = ["validation_loss": measures.loss]
    for (kind, average) in [("micro", measures.micro), ("macro", measures.macro)] {
      metrics["validation_\(kind)_f1"] = average.f1
      metrics["validation_\(kind)_precision"] = average.precision
      metrics["validation_\(kind)_recall"] = average.recall
    }
    for label in measures.labels {
      metrics["validation_f1/\(label.label)"] = label.f1
      metrics["validation_precision/\(label.label)"] = label.precision
      metrics["validation_recall/\(label.label)"] = label.recall
    }
    return metrics
  }

  /// The thresholds and measures of the parameters that were kept.
  func outcome(_ parameters: [String: Tensor]) throws -> (thresholds: [Double], measures: ClassificationMeasures?) {
    guard texts.validation.count > 0 else {
      return (Array(repeating: settings.threshold ?? 0.5, count: graph.labels.count), nil)
    }
    let evaluation = try evaluation(of: graph.classifier(parameters))
    return (evaluation.thresholds(settings.threshold), measures(evaluation))
  }

  /// The measures of the graph in 8 bits, taken as those of the other one are; nil where nothing was held out.
  func quantizedMeasures(_ parameters: [String: Tensor]) throws -> ClassificationMeasures? {
    guard texts.validation.count > 0 else { return nil }
    return measures(try evaluation(of: graph.quantizedClassifier(parameters)))
  }
}
