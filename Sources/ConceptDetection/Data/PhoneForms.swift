// The forms of telephone numbers.

/// Which runs of digits are telephone numbers, announced by no word.
///
/// Lengths and first digits are those of the national numbering plans: Ofcom's (United Kingdom), Arcep's (France),
/// AGCOM's (Italy), the Plan Nacional de Numeración (Spain), the Bundesnetzagentur's (Germany) and the NANP (North
/// America); an international number has at most 15 digits (ITU-T E.164).
enum PhoneForms {
  /// Behind the number that a run is or begins with; nil where it is none.
  static func end(of run: DigitRun) -> Int? {
    let count = run.digits.count
    guard run.groups.count <= 8 else { return nil }
    if run.isInternational {
      let own = run.digits[0] == 0 ? count - 2 : count
      return (7...16).contains(own) && run.groups.dropFirst().allSatisfy { $0 <= 10 } ? run.end : nil
    }
    if isTrunk(run) || isSpanish(run) || isItalianMobile(run) || isNorthAmerican(run) { return run.end }
    return nil
  }

  /// `0` and an area: nine to twelve digits, the first group of two to six (or all of them).
  ///
  /// 020 7946 0958 · (0161) 496 0000 · 06 12 34 56 78 · 02 1234567 · 030/123456 · 0176 12345678
  private static func isTrunk(_ run: DigitRun) -> Bool {
    guard (9...12).contains(run.digits.count), run.digits[0] == 0, run.digits[1] != 0 else { return false }
    if run.groups.count == 1 { return true }
    return (2...6).contains(run.groups[0]) && run.groups.dropFirst().allSatisfy { (2...8).contains($0) }
  }

  /// Nine digits from 6, 7, 8 or 9: 612 345 678 · 91 123 45 67 · 612 34 56 78 · 612345678. Points between threes make a
  /// price (612.345.678), as in Spain.
  private static func isSpanish(_ run: DigitRun) -> Bool {
    guard run.digits.count == 9, (6...9).contains(run.digits[0]) else { return false }
    let forms = [[9], [3, 3, 3], [2, 3, 2, 2], [3, 2, 2, 2], [3, 6], [2, 7]]
    return forms.contains(run.groups) && !(run.groups == [3, 3, 3] && run.separators[1] == ".")
  }

  /// Ten digits from 3: 347 1234567 · 347 123 4567 · 347 12 34 567 · 3471234567.
  private static func isItalianMobile(_ run: DigitRun) -> Bool {
    guard run.digits.count == 10, run.digits[0] == 3 else { return false }
    return [[10], [3, 7], [3, 3, 4], [3, 2, 2, 3], [3, 3, 2, 2], [3, 4, 3]].contains(run.groups)
  }

  /// Three, three and four digits, the first of each of the first two from 2: (555) 123-4567 has no such exchange.
  private static func isNorthAmerican(_ run: DigitRun) -> Bool {
    run.groups == [3, 3, 4] && run.digits[0] >= 2 && run.digits[3] >= 2
  }
}
