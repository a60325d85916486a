// `ranker train`: one subcommand for each kind of model.

import ArgumentParser

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model, verify its export, and write a report.",
    subcommands: [
      TrainPairwise.self, TrainNCF.self, TrainALS.self, TrainPopular.self, TrainClassification.self, TrainConcept.self,
    ])
}
