// The page that tells a person how far popularity alone gets.

import Reports
import Verification

/// The report of a popularity model: one self-contained page, the same bytes for the same model.
enum PopularityReport {
  /// - Parameter metadata: all of it but times and checksums, which the page does not tell.
  static func html(_ metadata: PopularityMetadata, drawing: Markup) -> String {
    let (files, settings) = (metadata.files, metadata.settings)
    var page = Page(
      title: metadata.name, kind: "Recommender by popularity",
      lead: RecommenderPage.lead(metadata.measures, metadata.data, verification: metadata.verification),
      footer: RecommenderPage.footer(metadata))
    page.add("At a glance", Tiles(RecommenderPage.tiles(metadata.measures, metadata.data)).markup)
    page.add("Data", RecommenderPage.data(metadata.data))
    page.add("Verification", metadata.verification.markup)
    page.add(
      "The graphs",
      RecommenderPage.graphs(scorer: files.scorer, topItems: files.topItems, data: metadata.data)
        + "<h3>\(files.scorer)</h3>\n\(drawing)")
    let by: Markup =
      settings.effectiveMeasure == .users ? "the users that turned to it" : "the strengths of interactions"
    page.add(
      "Settings",
      Facts(
        [
          ("an item's score", by), ("seed", "\(String(settings.seed))"), ("opset", "\(settings.opset)"),
        ] + RecommenderPage.weights(settings.eventWeights, halfLife: settings.halfLife)
      ).markup)
    page.add("Using it", RecommenderPage.usage(scorer: files.scorer, checkpoint: files.checkpoint))
    return page.html
  }
}
