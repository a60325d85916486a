// Tables of how counts are spread.

import Datasets
import Reports

/// The least, the middle and the most of counts, one kind a row.
struct QuantileTable {
  private var table: TextTable

  init(_ title: String, _ rows: [(name: String, quantiles: Quantiles)]) {
    table = TextTable(
      [.init(title: title)]
        + ["LEAST", "25%", "MEDIAN", "75%", "90%", "MOST", "MEAN"].map { .init(title: $0, alignsRight: true) })
    for (name, quantiles) in rows {
      table.add(
        [name]
          + [
            quantiles.minimum, quantiles.quarter, quantiles.median, quantiles.threeQuarters, quantiles.nineTenths,
            quantiles.maximum,
          ].map(Figures.count) + [quantiles.mean.decimals(1)])
    }
  }

  func printOut() { table.printOut() }
}
