// Tells numbers that identify a person from prices, dates, sizes and references.

/// A number in running text that was found to be something.
struct PersonalNumber {
  enum Kind {
    case account, card, phone
    /// A date or a number announced as a reference: passed over as a whole.
    case harmless
  }

  let kind: Kind
  /// Behind its last digit.
  let end: Int

  /// Looks at what begins at `position`.
  ///
  /// - Parameter limit: where the number must have ended.
  init?(in text: [Unicode.Scalar], at position: Int, before limit: Int) {
    let first = text[position]
    guard position == 0 || !text[position - 1].isWordPart else { return nil }
    if let end = IBAN.end(in: text, at: position, before: limit) {
      (kind, self.end) = (.account, end)
      return
    }
    guard first.digit != nil || first == "+" || first == "(" else { return nil }
    guard let run = DigitRun(in: text, at: position, before: limit) else { return nil }
    let announced = Announcement(before: position, in: text)
    if let (kind, end) = Self.judge(run, announced: announced) {
      (self.kind, self.end) = (kind, end)
    } else {
      return nil
    }
  }

  private static func judge(_ run: DigitRun, announced: Announcement?) -> (Kind, Int)? {
    // A sort code may look like a date.
    if announced == .account, run.digits.count >= 6 { return (.account, run.end) }
    if let date = run.dateEnd { return (.harmless, date) }
    if run.isCard { return (.card, run.end) }
    switch announced {
    case .card where (12...19).contains(run.digits.count): return (.card, run.end)
    case .phone where (5...16).contains(run.digits.count): return (.phone, run.end)
    case .reference where !run.isInternational: return (.harmless, run.end)
    default: break
    }
    // The whole first: a slash may stand within a number (030/123456) or between two.
    for part in run.parts {
      if let end = PhoneForms.end(of: part) { return (.phone, end) }
    }
    // What was looked at as a whole is not looked at again from its second group: 12 345 612 345 678 holds no phone.
    return run.digits.count > 5 ? (.harmless, run.end) : nil
  }
}

/// Digits in groups, as telephone and card numbers are written.
struct DigitRun {
  /// `+` or `00` before the country's number.
  let isInternational: Bool
  private(set) var digits: [Int] = []
  /// How many digits stand in each group.
  private(set) var groups: [Int] = []
  /// Behind each group's last digit (and a bracket that closes there).
  private(set) var ends: [Int] = []
  /// What stands before each group, `nil` for nothing.
  private(set) var separators: [Unicode.Scalar?] = []

  var end: Int { ends.last! }

  init?(in text: [Unicode.Scalar], at start: Int, before limit: Int) {
    var position = start
    let hasPlus = text[start] == "+"
    if hasPlus {
      guard start == 0 || text[start - 1].digit == nil else { return nil }
      position += 1
    }
    var separator: Unicode.Scalar?
    var isBracketOpen = false
    while position < limit {
      if text[position] == "(", !isBracketOpen {
        isBracketOpen = true
        position += 1
      }
      let from = position
      while position < limit, let digit = text[position].digit {
        digits.append(digit)
        position += 1
      }
      guard position > from else { break }
      groups.append(position - from)
      separators.append(separator)
      if isBracketOpen, position < limit, text[position] == ")" {
        isBracketOpen = false
        position += 1
      }
      ends.append(position)
      separator = nil
      // One separator, a blank before or behind it or both: "030 / 123", "02 - 1234".
      var blanks = 0
      while position < limit, blanks < 2, separator == nil || text[position].isBlank {
        let scalar = text[position]
        if scalar.isBlank {
          blanks += 1
        } else if scalar == "." || scalar == "/" || scalar.isHyphen {
          separator = scalar
        } else {
          break
        }
        position += 1
      }
      if separator == nil, blanks > 0 { separator = " " }
      guard position < limit, text[position].digit != nil || text[position] == "(" else { break }
    }
    guard let last = ends.last else { return nil }
    // Digits that go on as a word or with a comma are no number of this kind: 1500m, 0,5; a currency sign makes a
    // price.
    if last < text.count, text[last].isWordPart { return nil }
    if last + 1 < text.count, text[last] == ",", text[last + 1].digit != nil { return nil }
    if hasPlus {
      isInternational = true
    } else {
      isInternational = digits.count >= 10 && digits[0] == 0 && digits[1] == 0 && groups[0] >= 2
    }
  }

  /// The run, and what it begins with up to a slash or a hyphen, the longest first.
  var parts: [DigitRun] {
    let cuts = separators.indices.reversed().filter { separators[$0].map { $0 == "/" || $0.isHyphen } ?? false }
    return [self] + cuts.map(prefix)
  }

  private func prefix(_ groupCount: Int) -> DigitRun {
    var part = self
    part.groups.removeLast(groups.count - groupCount)
    part.ends.removeLast(ends.count - groupCount)
    part.separators.removeLast(separators.count - groupCount)
    part.digits.removeLast(digits.count - part.groups.reduce(0, +))
    return part
  }

  /// Behind a date that the run begins with: day.month.year or year-month-day, with a full stop, a slash or a hyphen.
  var dateEnd: Int? {
    guard groups.count >= 3, !isInternational || groups[0] <= 2, let mark = separators[1], mark != " ",
      separators[2] == mark
    else { return nil }
    let numbers = numbers(of: 3)
    let (day, month, year): (Int, Int, Int)
    if groups[0] == 4 {
      (year, month, day) = (numbers[0], numbers[1], numbers[2])
      guard groups[2] <= 2 else { return nil }
    } else {
      guard groups[0] <= 2, groups[1] <= 2, groups[2] == 2 || groups[2] == 4 else { return nil }
      // Five pairs are a French number.
      if groups[2] == 2, groups.count >= 5, groups.prefix(5).allSatisfy({ $0 == 2 }), separators[4] == mark {
        return nil
      }
      // The month may come first.
      (day, month, year) = (max(numbers[0], numbers[1]), min(numbers[0], numbers[1]), numbers[2])
    }
    let isYear = year < 100 || (1000...2999).contains(year)
    return (1...31).contains(day) && (1...12).contains(month) && isYear ? ends[2] : nil
  }

  private func numbers(of count: Int) -> [Int] {
    var rest = digits[...]
    return groups.prefix(count).map { length in
      defer { rest = rest.dropFirst(length) }
      return rest.prefix(length).reduce(0) { ($0 * 10 + $1) % 1_000_000_000 }
    }
  }

  /// Whether it is a payment card's: 13 to 19 digits in one group or several of two to seven, a first digit that
  /// issuers have, and a check digit that holds.
  var isCard: Bool {
    guard (13...19).contains(digits.count), !isInternational, [2, 3, 4, 5, 6].contains(digits[0]) else { return false }
    guard groups.count == 1 || groups.allSatisfy({ (2...7).contains($0) }) else { return false }
    guard separators.dropFirst().allSatisfy({ $0 == " " || $0?.isHyphen == true }) else { return false }
    return Self.passesLuhn(digits)
  }

  /// Luhn's check: from the right, every second digit doubled, its digits added; the sum is a multiple of ten.
  static func passesLuhn(_ digits: [Int]) -> Bool {
    let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
      let value = digit.offset % 2 == 0 ? digit.element : 2 * digit.element
      return sum + (value > 9 ? value - 9 : value)
    }
    return sum % 10 == 0
  }
}

/// A word right before a number that says what it is.
enum Announcement {
  case phone, card, account, reference

  /// Looks back over blanks, colons, full stops and the like for a word, or for a second one where the first says
  /// nothing (`phone number is 12345`).
  init?(before position: Int, in text: [Unicode.Scalar]) {
    var end = position
    // "No." says less than the one before it: "account no. 123456". "Number" alone says nothing.
    var isNumbered = false
    for _ in 0..<3 {
      var gap = 0
      while end > 0, gap < 4, Self.isBetween(text[end - 1]) { (end, gap) = (end - 1, gap + 1) }
      var start = end
      while start > 0, text[start - 1].isWordPart { start -= 1 }
      guard start < end else { break }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: text[start..<end])
      let word = WordScanner.words(of: String(view)).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
      if let kind = Self.kinds[word] ?? Self.endings.first(where: { word.hasSuffix($0.0) })?.1 {
        self = kind
        return
      }
      // "no." and "n°" stand for a number, "no" and "n" do not.
      let isNumber =
        Self.numbers.contains(word) || ["no", "n"].contains(word) && [".", "°"].contains(text[end])
      guard isNumber || Self.fillers.contains(word) else { break }
      isNumbered = isNumbered || isNumber
      end = start
    }
    guard isNumbered else { return nil }
    self = .reference
  }

  private static func isBetween(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isBlank || scalar == ":" || scalar == "." || scalar == "°" || scalar == "#" || scalar == "="
      || scalar == "(" || scalar == "/"
  }

  /// Folded, as all words are.
  private static let kinds: [String: Announcement] = {
    let words: [(Announcement, String)] = [
      (.phone, "phone tel telephone mobile cell cellphone telefon telefono telefonnummer handy handynummer"),
      (.phone, "mobil festnetz portable tlf tfno tfn movil movile cellulare fax whatsapp"),
      (.card, "card visa mastercard amex carte carta tarjeta karte kreditkarte kreditkartennummer maestro"),
      (.account, "account acct iban compte conto cuenta konto kontonummer kontonr sort sortcode ccc rib"),
      (.reference, "ref reference referenz referencia riferimento rif serial serie seriennummer seriale"),
      (.reference, "matricola matricule order bestellung auftrag auftragsnummer commande ordine"),
      (.reference, "pedido invoice facture fattura factura rechnung rechnungsnummer art article artikel articolo"),
      (.reference, "articulo artikelnummer modell model modele modello modelo sku ticket certificate certificat"),
      (.reference, "certificato certificado zertifikat gia ticketnummer"),
    ]
    return words.reduce(into: [:]) { kinds, entry in
      for word in entry.1.split(separator: " ") { kinds[String(word)] = entry.0 }
    }
  }()

  /// What German compounds end with.
  private static let endings: [(String, Announcement)] = [("telefon", .phone), ("handy", .phone), ("konto", .account)]

  private static let numbers: Set<String> = ["nr", "nº"]

  private static let fillers: Set<String> = [
    "number", "nummer", "numero", "num", "is", "est", "ist", "es", "e", "de", "di", "code", "au", "al", "unter", "on",
    "the",
    "credit", "credito", "bancaire", "bancario", "bancaria",
  ]
}
