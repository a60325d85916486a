// Prints the speed of the matrix products, one line each.

for row in measureMatrixProducts() {
  let best = (row.bestGigaflops * 10).rounded() / 10
  let median = (row.medianGigaflops * 10).rounded() / 10
  print("\(row.name)\t\(row.engine)\t\(best) GFLOP/s at best\t\(median) at the median\t\(row.bestMicroseconds) µs")
}
