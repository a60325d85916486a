// `ranker data synthesize`: made-up data in which there is something to find.

import ArgumentParser
import Datasets
import Recommendation
import Reports

struct SynthesizeData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synthesize",
    abstract: "Make up data with real structure, to try things on.",
    subcommands: [SynthesizeRecommendation.self, SynthesizeClickstream.self, SynthesizeClassification.self])
}

struct SynthesizeRecommendation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recommendation",
    abstract: "Make up interactions that follow tastes.",
    discussion: """
      Users have tastes over topics, items belong to topics and are popular to different degrees; a user picks a topic \
      by taste, then an item of it by popularity. A model that finds the tastes is clearly better than counting what is \
      popular. Rows come in the order of time and are written as they are drawn, so millions are no problem. The same \
      options give the same file.

      The name of the output says its form: .json (with metadata and held-out cases), .jsonl, .csv, \
      .tsv or .parquet.

      The sample that ranker train ncf and als take by default is made by

        ranker data synthesize recommendation --output recommendation_test.json
      """)

  @Option(help: ArgumentHelp("Where the data goes; - for JSON on standard output.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Users.", valueName: "n"))
  var users = InteractionSynthesis().users

  @Option(help: ArgumentHelp("Items.", valueName: "n"))
  var items = InteractionSynthesis().items

  @Option(help: ArgumentHelp("Interactions, each of another pair of user and item.", valueName: "n"))
  var interactions = InteractionSynthesis().interactions

  @Option(help: ArgumentHelp("Topics that tastes differ in.", valueName: "n"))
  var factors = InteractionSynthesis().factors

  @Option(help: ArgumentHelp("The item at rank r is popular as r^-x; 0 for all alike.", valueName: "x"))
  var popularitySkew = InteractionSynthesis().popularitySkew

  @Option(help: ArgumentHelp("Users' activity varies as exp(x · normal).", valueName: "x"))
  var activitySkew = InteractionSynthesis().activitySkew

  @Option(help: ArgumentHelp("How far tastes lie apart: 0 not at all, 2 somewhat, 6 clearly.", valueName: "x"))
  var sharpness = InteractionSynthesis().sharpness

  @Option(help: ArgumentHelp("The share of interactions without taste, by popularity alone.", valueName: "x"))
  var noise = InteractionSynthesis().noise

  @Option(help: ArgumentHelp("Items held out of each user, in .json; 0 for none.", valueName: "n"))
  var heldOut = InteractionSynthesis().heldOutItems

  @Option(help: ArgumentHelp("Candidates of a held-out case, its held-out items among them.", valueName: "n"))
  var candidates = InteractionSynthesis().candidates

  @Option(help: ArgumentHelp("Days that the interactions span.", valueName: "n"))
  var days = InteractionSynthesis().days

  @Option(help: ArgumentHelp("The first day.", valueName: "date"))
  var start = InteractionSynthesis().start

  @Option(help: ArgumentHelp("The same seed and options give the same file.", valueName: "n"))
  var seed = InteractionSynthesis().seed

  func run() throws {
    let synthesis = InteractionSynthesis(
      users: users, items: items, interactions: interactions, factors: factors, popularitySkew: popularitySkew,
      activitySkew: activitySkew, sharpness: sharpness, noise: noise, heldOutItems: heldOut, candidates: candidates,
      days: days, start: start, seed: seed)
    let summary = try synthesis.write(to: output)
    guard output != "-" else { return }
    var text = "\(output): \(count(summary.interactions, "interaction"))"
    if summary.heldOutCases > 0 { text += ", \(count(summary.heldOutCases, "held-out case"))" }
    print(text)
  }
}

struct SynthesizeClickstream: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clickstream",
    abstract: "Make up a clickstream that follows tastes.",
    discussion: """
      Writes a directory with clickstream.pq (cookie, node, event, event_date) and events.pq (event, is_contact), as ALS \
      and popularity take them: the last days are held out, and of them the contacts. Users and items are as those of \
      ranker data synthesize recommendation, but clicks may repeat, and clicks by taste lead to contacts more often. On \
      the defaults, ALS recalls at least twice what popularity does.
      """)

  @Option(help: ArgumentHelp("Where the data goes; made where it does not exist.", valueName: "directory"))
  var output: String

  @Option(help: ArgumentHelp("Users (cookies).", valueName: "n"))
  var users = ClickstreamSynthesis().users

  @Option(help: ArgumentHelp("Items (nodes).", valueName: "n"))
  var items = ClickstreamSynthesis().items

  @Option(help: ArgumentHelp("Clicks.", valueName: "n"))
  var clicks = ClickstreamSynthesis().clicks

  @Option(help: ArgumentHelp("Topics that tastes differ in.", valueName: "n"))
  var factors = ClickstreamSynthesis().factors

  @Option(help: ArgumentHelp("The item at rank r is popular as r^-x; 0 for all alike.", valueName: "x"))
  var popularitySkew = ClickstreamSynthesis().popularitySkew

  @Option(help: ArgumentHelp("Users' activity varies as exp(x · normal).", valueName: "x"))
  var activitySkew = ClickstreamSynthesis().activitySkew

  @Option(help: ArgumentHelp("How far tastes lie apart: 0 not at all, 2 somewhat, 6 clearly.", valueName: "x"))
  var sharpness = ClickstreamSynthesis().sharpness

  @Option(help: ArgumentHelp("The share of clicks without taste, by popularity alone.", valueName: "x"))
  var noise = ClickstreamSynthesis().noise

  @Option(help: ArgumentHelp("The share of clicks by taste that are contacts.", valueName: "x"))
  var contactShare = ClickstreamSynthesis().contactShare

  @Option(help: ArgumentHelp("Days that the clicks span.", valueName: "n"))
  var days = ClickstreamSynthesis().days

  @Option(help: ArgumentHelp("The first day.", valueName: "date"))
  var start = ClickstreamSynthesis().start

  @Option(help: ArgumentHelp("The same seed and options give the same files.", valueName: "n"))
  var seed = ClickstreamSynthesis().seed

  func run() throws {
    let synthesis = ClickstreamSynthesis(
      users: users, items: items, clicks: clicks, factors: factors, popularitySkew: popularitySkew,
      activitySkew: activitySkew, sharpness: sharpness, noise: noise, contactShare: contactShare, days: days,
      start: start, seed: seed)
    let summary = try synthesis.write(to: output)
    print(
      "\(output): \(count(summary.clicks, "click")), \(count(summary.contacts, "contact")) among them")
  }
}
